package nn

// The methods String make package fmt print modules as Python does. [Repr] also prints
// structs that have no such method.

// String returns [Repr] of the module.
func (m *AdaptiveAvgPool1d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *AdaptiveAvgPool2d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *AdaptiveAvgPool3d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *AdaptiveLogSoftmaxWithLoss) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *AdaptiveMaxPool1d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *AdaptiveMaxPool2d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *AdaptiveMaxPool3d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *AlphaDropout) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *AvgPool1d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *AvgPool2d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *AvgPool3d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *BatchNorm1d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *BatchNorm2d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *BatchNorm3d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *BCELoss) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *BCEWithLogitsLoss) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Bilinear) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *CELU) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *ChannelShuffle) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *CircularPad1d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *CircularPad2d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *CircularPad3d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *ConstantPad1d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *ConstantPad2d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *ConstantPad3d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Conv1d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Conv2d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Conv3d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *ConvTranspose1d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *ConvTranspose2d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *ConvTranspose3d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *CosineEmbeddingLoss) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *CosineSimilarity) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *CrossEntropyLoss) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *CrossMapLRN2d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *CTCLoss) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Dropout) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Dropout1d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Dropout2d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Dropout3d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *ELU) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Embedding) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *EmbeddingBag) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *FeatureAlphaDropout) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Flatten) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Fold) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *FractionalMaxPool2d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *FractionalMaxPool3d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *GaussianNLLLoss) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *GELU) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *GLU) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *GroupNorm) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *GRU) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *GRUCell) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Hardshrink) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Hardsigmoid) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Hardswish) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Hardtanh) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *HingeEmbeddingLoss) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *HuberLoss) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Identity) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *InstanceNorm1d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *InstanceNorm2d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *InstanceNorm3d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *KLDivLoss) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *L1Loss) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *LayerNorm) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *LeakyReLU) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Linear) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *LinearCrossEntropyLoss) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *LocalResponseNorm) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *LogSigmoid) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *LogSoftmax) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *LPPool1d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *LPPool2d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *LPPool3d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *LSTM) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *LSTMCell) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *MarginRankingLoss) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *MaxPool1d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *MaxPool2d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *MaxPool3d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *MaxUnpool1d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *MaxUnpool2d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *MaxUnpool3d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Mish) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *MSELoss) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *MultiheadAttention) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *MultiLabelMarginLoss) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *MultiLabelSoftMarginLoss) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *MultiMarginLoss) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *NLLLoss) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *PairwiseDistance) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *PixelShuffle) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *PixelUnshuffle) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *PoissonNLLLoss) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *PReLU) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *ReflectionPad1d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *ReflectionPad2d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *ReflectionPad3d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *ReLU) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *ReLU6) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *ReplicationPad1d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *ReplicationPad2d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *ReplicationPad3d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *RMSNorm) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *RNN) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *RNNCell) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *RReLU) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *SELU) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Sigmoid) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *SiLU) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *SmoothL1Loss) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *SoftMarginLoss) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Softmax) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Softmax2d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Softmin) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Softplus) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Softshrink) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Softsign) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *SyncBatchNorm) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Tanh) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Tanhshrink) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Threshold) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *TripletMarginLoss) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *TripletMarginWithDistanceLoss) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Unflatten) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Unfold) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Upsample) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *UpsamplingBilinear2d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *UpsamplingNearest2d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *ZeroPad1d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *ZeroPad2d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *ZeroPad3d) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m Sequential) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m SequentialDict) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m ModuleDict) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m ModuleList) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m ParameterDict) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m ParameterList) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *Transformer) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *TransformerDecoder) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *TransformerDecoderLayer) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *TransformerEncoder) String() string { return Repr(m) }

// String returns [Repr] of the module.
func (m *TransformerEncoderLayer) String() string { return Repr(m) }
