// The C++ column of BenchmarkOps: reads lines "what n" and answers each with the
// seconds that one of n repetitions took.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <chrono>
#include <functional>
#include <iostream>
#include <map>
#include <string>

int main() {
	c10::NoGradGuard no_grad;
	at::set_num_threads(1);
	auto x = at::ones({4}), y = at::ones({4});
	auto input = at::ones({1, 64}), w1 = at::ones({64, 64}), b1 = at::ones({64}), w2 = at::ones({10, 64}), b2 = at::ones({10});
	std::map<std::string, std::function<void()>> bodies = {
	    {"add", [&] { auto z = at::add(x, y); }},
	    {"chain",
	     [&] {
		     auto z = x;
		     for (int i = 0; i < 10; i++)
			     z = at::relu(at::add(z, y));
	     }},
	    {"mlp", [&] { auto z = at::linear(at::relu(at::linear(input, w1, b1)), w2, b2).softmax(1); }},
	};
	std::string what;
	int n;
	while (std::cin >> what >> n) {
		auto &f = bodies.at(what);
		auto start = std::chrono::steady_clock::now();
		for (int i = 0; i < n; i++)
			f();
		std::cout << std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / n << std::endl;
	}
}
