// Imagenet trains a model of torchvision on folders of pictures, one for each class:
// https://github.com/pytorch/examples/tree/main/imagenet.
//
//	go run ./examples/imagenet -a resnet18 ~/imagenet
package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/torchhub/torchhub/datasets"
	"github.com/torchhub/torchhub/examples/internal/made"
	"github.com/torchhub/torchhub/examples/internal/program"
	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/accelerator"
	"github.com/torchhub/torchhub/torch/backends"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/optim"
	"github.com/torchhub/torchhub/transforms"
	"github.com/torchhub/torchhub/transforms/pyrandom"
)

type arguments struct {
	data                                string
	arch                                string
	workers, epochs, startEpoch         int
	batchSize                           int
	lr, momentum, weightDecay           float64
	printFreq                           int
	resume                              string
	evaluate, pretrained, noAccel, fake bool
	seed, gpu                           *int
}

func main() { program.Main(run) }

func run(ctx context.Context, w io.Writer, argv []string) error {
	var args arguments
	flags := program.Flags("imagenet", "Trains a model on the pictures in DIR/train and DIR/val, which have a folder for each class. Without DIR it draws digits.")
	for _, name := range []string{"a", "arch"} {
		flags.StringVar(&args.arch, name, "resnet18", "`model`, one of those that torchhub list prints")
	}
	for _, name := range []string{"j", "workers"} {
		flags.IntVar(&args.workers, name, 4, "goroutines that read pictures")
	}
	flags.IntVar(&args.epochs, "epochs", 90, "how often the pictures are seen")
	flags.IntVar(&args.startEpoch, "start-epoch", 0, "number of the first epoch")
	for _, name := range []string{"b", "batch-size"} {
		flags.IntVar(&args.batchSize, name, 256, "pictures of a step")
	}
	for _, name := range []string{"lr", "learning-rate"} {
		flags.Float64Var(&args.lr, name, 0.1, "learning rate of the first 30 epochs; each 30 epochs it is divided by 10")
	}
	flags.Float64Var(&args.momentum, "momentum", 0.9, "of the optimizer")
	for _, name := range []string{"wd", "weight-decay"} {
		flags.Float64Var(&args.weightDecay, name, 1e-4, "of the optimizer")
	}
	for _, name := range []string{"p", "print-freq"} {
		flags.IntVar(&args.printFreq, name, 10, "steps from one printed line to the next")
	}
	flags.StringVar(&args.resume, "resume", "", "`file` of a checkpoint, of this program or of Python's, from which to go on")
	for _, name := range []string{"e", "evaluate"} {
		flags.BoolVar(&args.evaluate, name, false, "evaluate the model on DIR/val, and do not train it")
	}
	flags.BoolVar(&args.pretrained, "pretrained", false, "start from published weights")
	program.OptionalInt(flags, &args.seed, "seed", "`number` for the random numbers; by default they differ each time")
	program.OptionalInt(flags, &args.gpu, "gpu", "`number` of the GPU to use")
	flags.BoolVar(&args.noAccel, "no-accel", false, "use no GPU")
	flags.BoolVar(&args.fake, "dummy", false, "train on noise, as a benchmark")
	program.AtLeast(flags, 0, "j", "workers", "epochs", "start-epoch")
	program.AtLeast(flags, 1, "b", "batch-size", "p", "print-freq")
	if err := program.Parse(flags, w, argv, program.Argument{Name: "DIR", To: &args.data}); err != nil {
		return err
	}
	return program.Run(ctx, func() error { return imagenet(ctx, w, args) })
}

// A training is a model with all that it is trained with.
type training struct {
	args                   arguments
	w                      io.Writer
	device                 torch.Device
	model                  nn.Module
	criterion              *nn.CrossEntropyLoss
	optimizer              *optim.Optimizer
	scheduler              *optim.Scheduler
	trainLoader, valLoader *data.Loader[data.Batch]
	bestAcc1               float64
}

func imagenet(ctx context.Context, w io.Writer, args arguments) error {
	t := &training{args: args, w: w, device: torch.CPU}
	if args.seed != nil {
		pyrandom.Seed(int64(*args.seed))
		torch.ManualSeed(int64(*args.seed))
		backends.CuDNNDeterministic.Set(true)
		backends.CuDNNBenchmark.Set(false)
	}
	if !args.noAccel && accelerator.IsAvailable() {
		t.device = accelerator.CurrentAccelerator()
		if args.gpu != nil && t.device == torch.CUDA {
			t.device = torch.CUDADevice(*args.gpu)
		}
	}
	fmt.Fprintf(w, "Using device: %s\n", t.device)

	// create model
	if args.pretrained {
		fmt.Fprintf(w, "=> using pre-trained model '%s'\n", args.arch)
		m, err := hub.Load(ctx, "pytorch/vision", args.arch)
		if err != nil {
			return err
		}
		defer m.Close()
		t.model = m.Module().(nn.Module)
	} else {
		fmt.Fprintf(w, "=> creating model '%s'\n", args.arch)
		m, err := models.New[nn.Module](args.arch)
		if err != nil {
			return err
		}
		t.model = m
	}
	if t.device == torch.CPU {
		fmt.Fprintln(w, "using CPU, this will be slow")
	}
	nn.To(t.model, t.device)

	// define loss function (criterion), optimizer, and learning rate scheduler
	t.criterion = &nn.CrossEntropyLoss{}
	t.optimizer = optim.NewSGD(nn.Parameters(t.model), optim.SGDOptions{LR: args.lr, Momentum: args.momentum, WeightDecay: args.weightDecay})
	t.scheduler = optim.NewStepLR(t.optimizer, 30, optim.StepLROptions{Gamma: new(0.1)})

	// optionally resume from a checkpoint
	var c checkpoint
	if args.resume != "" {
		var err error
		if c, err = t.loadCheckpoint(args.resume); err != nil {
			return err
		}
	}

	// Data loading code
	root, remove, err := made.Root(args.data, made.ImageFolder(64, 16))
	if err != nil {
		return err
	}
	defer remove()
	if err := t.loadData(root); err != nil {
		return err
	}

	if args.evaluate {
		_, err := t.validate(ctx)
		return err
	}
	if err := t.goOn(c); err != nil {
		return err
	}
	return t.run(ctx)
}

// loadData makes the loaders of the pictures in root.
func (t *training) loadData(root string) error {
	var trainDataset, valDataset data.Dataset[data.Sample[*torch.Tensor, int]]
	if t.args.fake {
		fmt.Fprintln(t.w, "=> Dummy data is used!")
		trainDataset = datasets.Transform(datasets.NewFakeData(datasets.FakeDataOptions{Size: 1281167, NumClasses: 1000}), transforms.ToTensor())
		valDataset = datasets.Transform(datasets.NewFakeData(datasets.FakeDataOptions{Size: 50000, NumClasses: 1000}), transforms.ToTensor())
	} else {
		normalize := transforms.Normalize([]float64{0.485, 0.456, 0.406}, []float64{0.229, 0.224, 0.225})
		trainFolder, err := datasets.NewImageFolder(filepath.Join(root, "train"))
		if err != nil {
			return err
		}
		trainDataset = datasets.Transform(trainFolder, transforms.Compose(
			transforms.RandomResizedCrop(224),
			transforms.RandomHorizontalFlip(),
			transforms.ToTensor(),
			normalize,
		))
		valFolder, err := datasets.NewImageFolder(filepath.Join(root, "val"))
		if err != nil {
			return err
		}
		valDataset = datasets.Transform(valFolder, transforms.Compose(
			transforms.Resize(256),
			transforms.CenterCrop(224),
			transforms.ToTensor(),
			normalize,
		))
	}
	options := data.LoaderOptions{BatchSize: t.args.batchSize, Workers: t.args.workers, PinMemory: true}
	t.valLoader = data.NewLoader[data.Batch](valDataset, options)
	options.Shuffle = true
	t.trainLoader = data.NewLoader[data.Batch](trainDataset, options)
	return nil
}

// run trains for all epochs, or until ctx ends.
func (t *training) run(ctx context.Context) error {
	for epoch := t.args.startEpoch; epoch < t.args.epochs; epoch++ {
		// train for one epoch
		place, err := t.train(ctx, epoch)
		if err != nil {
			return err
		}
		stopped := t.checkpoint(epoch)
		stopped.Loader = &place

		// evaluate on validation set
		acc1, err := t.validate(ctx)
		if ctx.Err() != nil {
			if err := torch.Save("checkpoint.pth.tar", stopped); err != nil {
				return err
			}
			return fmt.Errorf("imagenet: stopped after %d of %d steps of epoch %d; --resume checkpoint.pth.tar goes on: %w", place.Batches, t.trainLoader.Len(), epoch, ctx.Err())
		}
		if err != nil {
			return err
		}

		t.scheduler.Step()

		// remember best acc@1 and save checkpoint
		isBest := acc1 > t.bestAcc1
		t.bestAcc1 = max(acc1, t.bestAcc1)
		if err := saveCheckpoint(t.checkpoint(epoch+1), isBest); err != nil {
			return err
		}
	}
	return nil
}

// report is called with each loss of the training, for tests.
var report = func(w io.Writer, loss float64) {}

// train trains for an epoch, or until ctx ends, and returns the place in the epoch.
func (t *training) train(ctx context.Context, epoch int) (place data.LoaderState, err error) {
	batchTime := &averageMeter{name: "Time", format: "%6.3f"}
	dataTime := &averageMeter{name: "Data", format: "%6.3f"}
	losses := &averageMeter{name: "Loss", format: "%.4e"}
	top1 := &averageMeter{name: "Acc@1", format: "%6.2f"}
	top5 := &averageMeter{name: "Acc@5", format: "%6.2f"}
	progress := progressMeter{t.w, t.trainLoader.Len(), []*averageMeter{batchTime, dataTime, losses, top1, top5}, fmt.Sprintf("Epoch: [%d]", epoch)}

	// switch to train mode
	nn.Train(t.model)

	end := time.Now()
	for batch, err := range t.trainLoader.Batches(context.WithoutCancel(ctx)) { // the batch at hand is finished
		if err != nil {
			return place, err
		}
		// measure data loading time
		dataTime.update(time.Since(end).Seconds(), 1)

		// move data to the same device as model
		images := batch.Input.To(t.device, torch.ToOptions{NonBlocking: true})
		target := batch.Target.To(t.device, torch.ToOptions{NonBlocking: true})

		// compute output
		output := t.model.Forward(images)
		loss := t.criterion.Forward(output, target)

		// measure accuracy and record loss
		acc := accuracy(output, target, 1, 5)
		losses.update(loss.Item(), images.Size(0))
		top1.update(acc[0], images.Size(0))
		top5.update(acc[1], images.Size(0))
		report(t.w, loss.Item())

		// compute gradient and do SGD step
		t.optimizer.ZeroGrad()
		loss.Backward()
		t.optimizer.Step()

		// measure elapsed time
		batchTime.update(time.Since(end).Seconds(), 1)
		end = time.Now()

		place = t.trainLoader.State()
		if i := place.Batches - 1; i%t.args.printFreq == 0 {
			progress.display(i + 1)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return place, nil
}

// validate returns the accuracy on the validation set.
func (t *training) validate(ctx context.Context) (float64, error) {
	batchTime := &averageMeter{name: "Time", format: "%6.3f"}
	losses := &averageMeter{name: "Loss", format: "%.4e"}
	top1 := &averageMeter{name: "Acc@1", format: "%6.2f", summary: true}
	top5 := &averageMeter{name: "Acc@5", format: "%6.2f", summary: true}
	progress := progressMeter{t.w, t.valLoader.Len(), []*averageMeter{batchTime, losses, top1, top5}, "Test: "}

	// switch to evaluate mode
	nn.Eval(t.model)

	end := time.Now()
	i := 0
	for batch, err := range t.valLoader.Batches(ctx) {
		if err != nil {
			return 0, err
		}
		torch.NoGrad(func() {
			images := batch.Input.To(t.device, torch.ToOptions{NonBlocking: true})
			target := batch.Target.To(t.device, torch.ToOptions{NonBlocking: true})

			// compute output
			output := t.model.Forward(images)
			loss := t.criterion.Forward(output, target)

			// measure accuracy and record loss
			acc := accuracy(output, target, 1, 5)
			losses.update(loss.Item(), images.Size(0))
			top1.update(acc[0], images.Size(0))
			top5.update(acc[1], images.Size(0))
		})

		// measure elapsed time
		batchTime.update(time.Since(end).Seconds(), 1)
		end = time.Now()

		if i%t.args.printFreq == 0 {
			progress.display(i + 1)
		}
		i++
	}
	progress.displaySummary()
	return top1.avg, nil
}

// An averageMeter computes and stores the average and current value.
type averageMeter struct {
	name, format  string
	summary       bool // the average is part of the summary
	val, sum, avg float64
	count         int
}

func (m *averageMeter) update(val float64, n int) {
	m.val = val
	m.sum += val * float64(n)
	m.count += n
	m.avg = m.sum / float64(m.count)
}

func (m *averageMeter) String() string {
	return m.name + " " + fmt.Sprintf(m.format, m.val) + " (" + fmt.Sprintf(m.format, m.avg) + ")"
}

// A progressMeter prints lines with meters.
type progressMeter struct {
	w          io.Writer
	numBatches int
	meters     []*averageMeter
	prefix     string
}

func (p progressMeter) display(batch int) {
	n := fmt.Sprint(p.numBatches)
	fmt.Fprintf(p.w, "%s[%*d/%s]", p.prefix, len(n), batch, n)
	for _, m := range p.meters {
		fmt.Fprintf(p.w, "\t%v", m)
	}
	fmt.Fprintln(p.w)
}

func (p progressMeter) displaySummary() {
	fmt.Fprint(p.w, " *")
	for _, m := range p.meters {
		fmt.Fprint(p.w, " ")
		if m.summary {
			fmt.Fprintf(p.w, "%s %.3f", m.name, m.avg)
		}
	}
	fmt.Fprintln(p.w)
}

// accuracy computes the percentages of pictures whose class is among the top k predictions, for each k.
func accuracy(output, target *torch.Tensor, topk ...int) (res []float64) {
	torch.NoGrad(func() {
		maxk := topk[len(topk)-1]
		batchSize := target.Size(0)

		_, pred := output.TopK(maxk, 1)
		pred = pred.T()                                       // [maxk, N]
		correct := pred.Eq(target.View(1, -1).ExpandAs(pred)) // [maxk, N]
		for _, k := range topk {
			correctK := correct.Narrow(0, 0, k).Reshape(-1).ToDType(torch.Float32).Sum()
			res = append(res, correctK.MulScalarInPlace(100/float64(batchSize)).Item())
		}
	})
	return res
}
