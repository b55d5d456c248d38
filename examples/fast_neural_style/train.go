package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/torchhub/torchhub/datasets"
	"github.com/torchhub/torchhub/examples/internal/made"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/optim"
	"github.com/torchhub/torchhub/transforms"
)

// report is called with each loss of the training, for tests.
var report = func(w io.Writer, loss float64) {}

func train(ctx context.Context, w io.Writer, args trainArguments) error {
	for _, dir := range []string{args.saveModelDir, args.checkpointModelDir} {
		if dir != "" {
			if err := os.MkdirAll(dir, 0o777); err != nil {
				return err
			}
		}
	}
	device, err := deviceOf(args.accel)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Using device: %s\n", device)

	torch.ManualSeed(int64(args.seed))

	if args.dataset == "" {
		root, remove, err := made.Root("", made.ImageFolder(64, 1))
		if err != nil {
			return err
		}
		defer remove()
		args.dataset = filepath.Join(root, "train")
		args.styleImage = filepath.Join(root, "val", "n00000000", "val_0000.JPEG")
	}
	transform := transforms.Compose(
		transforms.Resize(args.imageSize),
		transforms.CenterCrop(args.imageSize),
		transforms.ToTensor(),
		times255(),
	)
	trainDataset, err := datasets.NewImageFolder(args.dataset)
	if err != nil {
		return err
	}
	trainLoader := data.NewLoader[data.Batch](datasets.Transform(trainDataset, transform), data.LoaderOptions{BatchSize: args.batchSize})

	transformer := NewTransformerNet()
	nn.To(transformer, device)
	optimizer := optim.NewAdam(nn.Parameters(transformer), optim.AdamOptions{LR: args.lr})

	vgg, err := NewVgg16(ctx, args.vgg)
	if err != nil {
		return err
	}
	nn.To(vgg, device)
	styleImage, err := loadImage(args.styleImage, args.styleSize, 0)
	if err != nil {
		return err
	}
	style := transforms.Compose(transforms.ToTensor(), times255()).Apply(styleImage)
	style = style.Repeat(args.batchSize, 1, 1, 1).To(device)

	t := &training{w: w, args: args, device: device, trainLoader: trainLoader, transformer: transformer, optimizer: optimizer, vgg: vgg}
	for _, y := range vgg.Forward(normalizeBatch(style)).all() {
		t.gramStyle = append(t.gramStyle, gramMatrix(y))
	}

	for e := range args.epochs {
		if err := t.train(ctx, e); err != nil {
			return err
		}
	}

	// save model
	nn.Eval(transformer)
	nn.To(transformer, torch.CPU)
	saveModelFilename := fmt.Sprintf("epoch_%d_%s_%s_%s.model", args.epochs, time.Now().Format("2006-01-02_15-04-05"), decimal(args.contentWeight), decimal(args.styleWeight))
	saveModelPath := filepath.Join(args.saveModelDir, saveModelFilename)
	if err := torch.Save(saveModelPath, nn.StateDict(transformer)); err != nil {
		return err
	}
	fmt.Fprintln(w, "\nDone, trained model saved at", saveModelPath)
	return nil
}

// decimal writes a number as str(float) does.
func decimal(v float64) string {
	if v == float64(int64(v)) {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// A training is a network with all that it is trained with.
type training struct {
	w           io.Writer
	args        trainArguments
	device      torch.Device
	trainLoader *data.Loader[data.Batch]
	transformer *TransformerNet
	optimizer   *optim.Optimizer
	mseLoss     nn.MSELoss
	vgg         *Vgg16
	gramStyle   []*torch.Tensor // [N, C, C] each
}

// train trains for an epoch.
func (t *training) train(ctx context.Context, e int) error {
	nn.Train(t.transformer)
	aggContentLoss, aggStyleLoss := 0., 0.
	count, batchID := 0, 0
	for batch, err := range t.trainLoader.Batches(ctx) {
		if err != nil {
			return err
		}
		x := batch.Input
		nBatch := x.Size(0)
		count += nBatch
		t.optimizer.ZeroGrad()

		x = x.To(t.device)
		y := t.transformer.Forward(x)

		y = normalizeBatch(y)
		x = normalizeBatch(x)

		featuresY := t.vgg.Forward(y)
		featuresX := t.vgg.Forward(x)

		contentLoss := t.mseLoss.Forward(featuresY.relu2_2, featuresX.relu2_2).MulScalar(t.args.contentWeight)

		styleLoss := torch.Zeros().To(t.device)
		for i, ftY := range featuresY.all() {
			gmY := gramMatrix(ftY)
			styleLoss = styleLoss.Add(t.mseLoss.Forward(gmY, t.gramStyle[i].Index(torch.Slice(0, nBatch))))
		}
		styleLoss = styleLoss.MulScalar(t.args.styleWeight)

		totalLoss := contentLoss.Add(styleLoss)
		totalLoss.Backward()
		t.optimizer.Step()

		aggContentLoss += contentLoss.Item()
		aggStyleLoss += styleLoss.Item()
		report(t.w, totalLoss.Item())

		batchID++
		if batchID%t.args.logInterval == 0 {
			n := float64(batchID)
			fmt.Fprintf(t.w, "%s\tEpoch %d:\t[%d/%d]\tcontent: %.6f\tstyle: %.6f\ttotal: %.6f\n", time.Now().Format(time.ANSIC), e+1, count, t.trainLoader.Dataset().Len(),
				aggContentLoss/n, aggStyleLoss/n, (aggContentLoss+aggStyleLoss)/n)
		}

		if t.args.checkpointModelDir != "" && batchID%t.args.checkpointInterval == 0 {
			ckptModelFilename := fmt.Sprintf("ckpt_epoch_%d_batch_id_%d.pth", e, batchID)
			if err := torch.Save(filepath.Join(t.args.checkpointModelDir, ckptModelFilename), nn.StateDict(t.transformer)); err != nil {
				return err
			}
		}
	}
	return nil
}

func stylize(w io.Writer, args evalArguments) error {
	device, err := deviceOf(args.accel)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Using device: %s\n", device)

	img, err := loadImage(args.contentImage, 0, args.contentScale)
	if err != nil {
		return err
	}
	contentImage := transforms.Compose(transforms.ToTensor(), times255()).Apply(img)
	contentImage = contentImage.Unsqueeze(0).To(device)

	styleModel := NewTransformerNet()
	stateDict, err := torch.LoadStateDict(args.model)
	if err != nil {
		return err
	}
	// remove saved deprecated running_* keys in InstanceNorm from the checkpoint
	deprecated := regexp.MustCompile(`in\d+\.running_(mean|var)$`)
	stateDict = slices.DeleteFunc(stateDict, func(e torch.Named) bool { return deprecated.MatchString(e.Name) })
	if err := nn.LoadStateDict(styleModel, stateDict); err != nil {
		return fmt.Errorf("eval: %s: %w", args.model, err)
	}
	nn.To(styleModel, device)
	nn.Eval(styleModel)
	var output *torch.Tensor
	torch.NoGrad(func() { output = styleModel.Forward(contentImage).To(torch.CPU) })
	return saveImage(args.outputImage, output.Index(0))
}
