package pyhub

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/frugal"
	"github.com/torchhub/torchhub/internal/reference"
)

// pythonRepos are repositories with a hubconf.py, and what torch.hub.list gives for them.
var pythonRepos = map[string]struct {
	files map[string]string
	names string
	docs  map[string]string
}{
	"the shape of most": {map[string]string{"hubconf.py": `
"""Models."""
dependencies = ["torch", "math"]
from functools import partial
from collections import OrderedDict
import os, torch.nn as nn
import torch

__version__ = "1"
VERSION = 3
threshold = 0.5
urls = {"a": "b"}

class K:
    '''A class.'''
    def __init__(self): pass

def _hidden(): pass

def m(pretrained=False, **kwargs):
    r"""# This docstring shows up in hub.help()
    Resnet18 \model
    pretrained (bool): kwargs, load pretrained weights into the model
    """
    def inner(): return 1
    return inner

def n(
    a=(1, 2),
    b={"x": [1]},  # a comment: with a colon
): return 1

p = partial(m, 2)
q = m
r = lambda x: x
s: int = 4
t = K
`}, "K OrderedDict m n p partial q r t", map[string]string{
		"m": "# This docstring shows up in hub.help()\n    Resnet18 \\model\n    pretrained (bool): kwargs, load pretrained weights into the model\n    ",
		"K": "A class.", "n": "",
	}},
	"imports from the repository": {map[string]string{
		"hubconf.py": `
from models.resnet import resnet18 as tiny, CONSTANT, helper
from models import (vgg as v,
    densenet,
)
from models.star import *
import models.resnet
import models as mm
alias = mm.resnet.resnet18
other = models.resnet.CONSTANT
del helper
`,
		"models/__init__.py": "from .vgg import vgg\nfrom . import densenet\n",
		"models/resnet.py":   "CONSTANT = 3\nfrom .vgg import vgg as helper\ndef resnet18():\n  'Doc of ' \"resnet18\"\n",
		"models/vgg.py":      "def vgg():\n\t'''Tabs.'''\n\treturn 0\n",
		"models/densenet.py": "x = 1\n",
		"models/star.py":     "from .vgg import vgg\ndef a(): pass\ndef _b(): pass\nc = 1\n",
	}, "a alias tiny v vgg", map[string]string{"tiny": "Doc of resnet18", "v": "Tabs.", "alias": "Doc of resnet18"}},
	"blocks": {map[string]string{"hubconf.py": `
import sys
try:
    import nothing_of_this_name
    def a(): "not this one"
except ImportError:
    def a():
        "this one"
if sys.version_info > (3,): b = lambda: 0
else: c = 1
if sys.platform == "none":
    d = 1
else:
    def d(): pass
if __name__ == "__main__":
    def never(): pass
    print("hello")
for i in range(3):
    pass
with open(__file__) as f: pass
x = 1; y = print; z = \
    print
async def e(): pass
@staticmethod
def g(): pass
match = 3
case = print
`}, "a b case d e g y z", map[string]string{"a": "this one"}},
	"strings": {map[string]string{"hubconf.py": `
s = "def no(): pass"
t = '''
def no2():
    pass
'''
u = "a # no comment" 'and \' more'
def f():
    u"\x41\u00e9\101\n\q\
continued"
def g():
    b"bytes are no docstring"
def h():
    f"nor is {s}"
def i(): "short"; return 1
def j():
    # a comment first
    "after a comment"
    "not this"
def k():
    x = 1
    "nor this"
`}, "f g h i j k", map[string]string{"f": "Aé" + "A\n\\qcontinued", "g": "", "h": "", "i": "short", "j": "after a comment", "k": ""}},
	"modules and factories": {map[string]string{"hubconf.py": `
from __future__ import annotations, division
from typing import Optional, TYPE_CHECKING
from os import path
from torch import nn, optim, hub
from torchvision import models as M
import logging
logger = logging.getLogger("x")
if TYPE_CHECKING:
    from nowhere import nothing
class Call:
    def __call__(self): pass
class Plain: pass
call = Call()
plain = Plain()
def make(name):
    def f(): return name
    return f
made = make("x")
number = len("abc")
a, b = 1, 2
(c) = 3
both = made if logger else None
linear = nn.Linear
net = nn.Linear(1, 1) if 0 else None
`}, "Call Optional Plain both call linear made make", nil},
	"latin-1":                        {map[string]string{"hubconf.py": "# -*- coding: latin-1 -*-\ndef caf\xe9(): 'd\xe9j\xe0'\ndef m(): '\xfc'\n"}, "café m", map[string]string{"café": "déjà", "m": "ü"}},
	"an encoding in the second line": {map[string]string{"hubconf.py": "#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\ndef m(): '\x80\xfc'\n"}, "m", map[string]string{"m": "€ü"}},
	"tuples and lists":               {map[string]string{"hubconf.py": "x, y = (lambda: 1), (lambda: 2)\n(a, b) = print, 3\n[c, d] = [len, int]\ne, *f = print, 1, 2\ng, (h, i) = print, (1, len)\nj = k, l = print, len\np, q = q2 = (print, print)\nr, = print,\ns, t = lambda a, b: 1, lambda: 2\nu, v = dict(a=1, b=2), print\n"}, "a c d e g i k l p q r s t v x y", nil},
	"__all__":                        {map[string]string{"hubconf.py": "from sub import *\nfrom sub2 import *\nfrom sub3 import *\n", "sub.py": "from os.path import join\n__all__ = ['_a', 'b']\ndef _a(): pass\ndef b(): pass\ndef c(): pass\n__all__ += ['d']\ndef d(): pass\n", "sub2.py": "__all__ = ('e',)\ndef e(): pass\ndef f(): pass\n", "sub3.py": "__all__ = ['g'] + ['h']\n__all__.append('i')\n__all__.extend(['j', 'k'])\ndef g(): pass\ndef h(): pass\ndef i(): pass\ndef j(): pass\ndef k(): pass\ndef l(): pass\n"}, "b d e g h i j k", nil},
	"conditions that never change":   {map[string]string{"hubconf.py": "import typing as t\nfrom typing import TYPE_CHECKING as TC\nif False:\n  def a(): pass\nelse:\n  def b(): pass\nif 0:\n  def c(): pass\nelif True:\n  def d(): pass\nelse:\n  def e(): pass\nif t.TYPE_CHECKING:\n  def f(): pass\nif TC: from nowhere import g\nif not TC:\n  def h(): pass\nif __name__ == '__main__':\n  def i(): pass\nelse:\n  def j(): pass\nif True:\n  def k(): pass\nelse:\n  def l(): pass\nif not True: m = print\nelse: n = print\nif None: o = print\nwhile False:\n  def p(): pass\nif __debug__:\n  def q(): pass\nif False and x: r = print\nif '':\n  s = print\nif __name__ != '__main__': u = print\nif not False:\n  def v(): pass\nif (False): w = print\nif (): aa = print\nelse: ab = print\nif not ((())): ac = print\nif [] or {}: ad = print\n"}, "ab ac b d h j k n q u v", nil},
	"lambdas and swaps": {map[string]string{"hubconf.py": `
a = lambda x=1, *, y=2: x
b, c = 1, print
b, c = c, b
d = print if False else 1
e = 1 if False else print
f = lambda: 1 if False else 2
if True: pass
for g in []: pass
else:
    def h(): pass
k = [print, len]
(l, m), n = (1, print), len
o: object = print
p = q = lambda: 0
`}, "a b e f h m n o p q", nil},
	"empty":                        {map[string]string{"hubconf.py": ""}, "", nil},
	"windows line ends and a mark": {map[string]string{"hubconf.py": "\ufeffdef a():\r\n    '''One\r\n    two'''\r\n"}, "a", map[string]string{"a": "One\n    two"}},
}

func writeTree(t *testing.T, dir string, files map[string]string) {
	for name, text := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(p), 0o755))
		require.NoError(t, os.WriteFile(p, []byte(text), 0o644))
	}
}

func TestRead(t *testing.T) {
	for name, c := range pythonRepos {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			writeTree(t, dir, c.files)
			m, err := Read(dir)
			require.NoError(t, err)
			require.Equal(t, strings.Fields(c.names), append([]string{}, m.Callables()...))
			for fn, doc := range c.docs {
				require.Equal(t, doc, m.Names[fn].Doc, fn)
			}
		})
	}
}

// TestReadIsPythons asks Python, which runs the files, for the same names and docstrings.
func TestReadIsPythons(t *testing.T) {
	p := reference.Start(t, `
import sys, torch
def names(dir):
    try:
        with torch.hub._add_to_sys_path(dir):
            m = torch.hub._import_module("hubconf.py", dir + "/hubconf.py")
        return [f for f in dir_(m) if callable(getattr(m, f)) and not f.startswith("_")]
    finally:
        for k in [k for k in sys.modules if k.split(".")[0] in ("models", "sub", "sub2", "sub3")]:
            del sys.modules[k]
dir_ = dir
def doc(dir, name):
    try:
        with torch.hub._add_to_sys_path(dir):
            m = torch.hub._import_module("hubconf.py", dir + "/hubconf.py")
        return torch.hub._load_entry_from_hubconf(m, name).__doc__
    finally:
        for k in [k for k in sys.modules if k.split(".")[0] in ("models", "sub", "sub2", "sub3")]:
            del sys.modules[k]
`)
	for name, c := range pythonRepos {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			writeTree(t, dir, c.files)
			var want []string
			p.Call(&want, "names", dir)
			require.Equal(t, strings.Fields(c.names), append([]string{}, want...))
			for fn, doc := range c.docs {
				var want *string
				p.Call(&want, "doc", dir, fn)
				if want == nil {
					want = new(string)
				}
				require.Equal(t, *want, doc, fn)
			}
		})
	}
}

func TestDependencies(t *testing.T) {
	dir := t.TempDir()
	writeTree(t, dir, map[string]string{"hubconf.py": "dependencies = ['torch', \"numpy\", # more\n 'x']\n"})
	m, err := Read(dir)
	require.NoError(t, err)
	require.Equal(t, []string{"torch", "numpy", "x"}, m.dependencies)
}

func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct{ src, want string }{
		"open string":   {"x = 'abc\n", "line 1: it cannot be read as Python: a string is not closed"},
		"open document": {"x = 1\n'''abc\n", "line 2: it cannot be read as Python: a string is not closed"},
		"open bracket":  {"x = (1,\n\n", "a bracket is not closed"},
		"deep":          {"x = " + strings.Repeat("(", 1000), "too many brackets"},
		"no bracket":    {"x = 1\ny = 1)\n", "line 2: it cannot be read as Python: a bracket is not opened"},
		"indentation":   {staircase(101), "line 101: it cannot be read as Python: too many levels of indentation"},
		"huge":          {strings.Repeat("#", maxPython+1), "is bigger than"},
	} {
		dir := t.TempDir()
		writeTree(t, dir, map[string]string{"hubconf.py": c.src})
		_, err := Read(dir)
		require.ErrorContains(t, err, c.want, name)
	}
	dir := t.TempDir()
	writeTree(t, dir, map[string]string{
		"hubconf.py": "from a import f\nfrom ..b import g\nfrom .... import h\ndef m(): pass\n",
		"a.py":       "from b import f\n", "b.py": "from a import f\n", // in a circle
	})
	m, err := Read(dir)
	require.NoError(t, err)
	require.Contains(t, m.Callables(), "m")
	_, err = Read(t.TempDir())
	require.ErrorIs(t, err, os.ErrNotExist)
}

// staircase returns n nested blocks.
func staircase(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "if x:\n")
	}
	return b.String()
}

// TestReadIsLinear reads files that would take too much time, memory or stack if any of them grew faster than the file.
func TestReadIsLinear(t *testing.T) {
	fill := func(s string) string { return strings.Repeat(s, (128<<10)/len(s)) }
	long := strings.Repeat("a", 100_000)
	for name, src := range map[string]string{
		"an empty tuple":     "if():s\nif(False)l",
		"blocks on one line": fill("if a:"),
		"else on one line":   fill("else:"),
		"nested blocks":      staircase(99) + fill(strings.Repeat(" ", 99)+"x = 1\n"),
		"brackets":           "if " + strings.Repeat("(", 199) + fill("a or b and ") + "c" + strings.Repeat(")", 199) + ": x = 1",
		"a bracketed tuple":  strings.Repeat("(", 199) + fill("a,") + strings.Repeat(")", 199) + " = " + strings.Repeat("[", 199) + fill("b,") + strings.Repeat("]", 199),
		"lists in lists":     strings.Repeat("[", 199) + fill("a,") + strings.Repeat("],", 199) + " = " + strings.Repeat("[", 199) + fill("b,") + strings.Repeat("],", 199),
		"not":                "if " + fill("not ") + "(): x = 1",
		"a dotted name":      "a = b" + fill(".c") + "\nif b" + fill(".c") + ": pass",
		"a long module":      "import " + long + " as m\n" + fill("x = m.a\n"),
		"a docstring":        "def f(): " + fill("'a' "),
		"a choice":           "a = " + fill("b if c else ") + "d",
		"choices":            "a = b " + fill("if ") + fill("else "),
		"lambdas":            "if " + fill("lambda: ") + ": pass",
		"targets":            fill("a = ") + "1",
		"statements":         fill("a = 1;"),
		"names of a module":  "__all__ = [" + fill("'ab',") + "]\n" + fill("__all__.remove('c')\n"),
		"from":               "from " + fill(".") + " import a",
		"a with":             "with " + fill("a as b,") + ": pass",
		"an open string":     fill("'''a'''") + "'''",
	} {
		t.Run(name, func(t *testing.T) {
			frugal.Do(t, func() { _, _ = (&reader{}).parse(src, "", 0) })
		})
	}
	dir := t.TempDir()
	writeTree(t, dir, map[string]string{
		"hubconf.py": "import a\n" + fill("from a import *\n") + fill("from . import x, y, z\n") + fill("b = a.c\n"),
		"a.py":       fill("a = 1; bb = 2; ccc = 3\n") + fill("def abcdefg(): pass\n"),
	})
	frugal.Do(t, func() {
		_, err := Read(dir)
		require.NoError(t, err)
	})
}

func FuzzRead(f *testing.F) {
	f.Add("if():s\nif(False)l")
	for _, c := range pythonRepos {
		for _, src := range c.files {
			f.Add(src)
		}
	}
	f.Fuzz(func(t *testing.T, src string) {
		m, err := (&reader{}).parse(src, "", 0)
		if err != nil {
			return
		}
		for _, n := range m.Callables() {
			if n == "" || strings.HasPrefix(n, "_") || m.Names[n] == nil {
				t.Fatalf("the name %q", n)
			}
		}
	})
}
