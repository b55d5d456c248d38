// Package train is what stands around a training loop: checkpoints from which it goes on with the same losses, a stop by
// Ctrl-C that leaves one, a progress bar, and logs. The loop itself stays the program's own:
//
//	ctx, stop := train.WithInterrupt(context.Background())
//	defer stop()
//	sched := optim.NewStepLR(opt, 1)
//	loader := data.NewLoader[data.Batch](samples, data.LoaderOptions{BatchSize: 64, Shuffle: true})
//	run := train.Checkpoint{Path: "mnist.pt", Every: 500, Parts: train.Parts{
//		"model": net, "optimizer": opt, "scheduler": sched, "loader": loader,
//	}}
//	if _, err := run.Resume(); err != nil {
//		log.Fatal(err)
//	}
//	for run.Epoch < 14 {
//		bar := train.NewProgress(fmt.Sprintf("epoch %d", run.Epoch+1), samples.Len())
//		for batch, err := range loader.Batches(context.Background()) {
//			…
//			opt.Step()
//			bar.Add(batch.Input.Size(0), loss.Item())
//			if err := run.Step(ctx); err != nil {
//				log.Fatal(err) // after Ctrl-C: the checkpoint is written
//			}
//		}
//		bar.Close()
//		sched.Step()
//		if err := run.EndEpoch(ctx); err != nil {
//			log.Fatal(err)
//		}
//	}
//
// The loader is given a context without the interrupt, so that the loop ends between two steps and not while it waits for
// a batch. Curves of a log are drawn by the package curve, and TensorBoard's files written by torch/tensorboard.
package train
