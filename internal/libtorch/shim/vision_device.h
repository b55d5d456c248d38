// Operators of torchvision's library from ATen's operators, for devices that have no kernels of ours. The pixels stay
// on the device; positions, which are few, are computed on the CPU. The arguments have been checked.
#pragma once

#include "vision_geometry.h"

#include <tuple>

namespace torchhub __attribute__((visibility("hidden"))) {
namespace vision {

// on_device reports whether a device computes with these functions. Other devices copy to the CPU and back: the one of
// Apple has no float64. With TORCHHUB_VISION=aten in the environment the CPU does too, for tests.
bool on_device(c10::Device d);

Tensor device_nms(const Tensor &dets, const Tensor &scores, double threshold);

// device_pool returns the result of a pooling and, for kMax, the index of each maximum. device_unpool returns the gradient of the input.
std::tuple<Tensor, Tensor> device_pool(const Pooling &p, const Tensor &input, const Tensor &rois);
Tensor device_unpool(const Pooling &p, const Tensor &grad, const Tensor &rois, const Tensor &argmax, const Shape &in);

// device_columns returns what each element of the kernel reads of a picture: [groups, c/groups·taps, places].
Tensor device_columns(const Deform &d, const Field &f, const Tensor &x, const Tensor &offset, const Tensor &mask);

// device_spread adds the gradient of the columns of a picture to those of the picture, the offset and the mask.
void device_spread(const Deform &d, const Field &f, const Tensor &grad, const Tensor &x, const Tensor &offset, const Tensor &mask, const Tensor &gx, const Tensor &go, const Tensor &gm);

} // namespace vision
} // namespace torchhub
