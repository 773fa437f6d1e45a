package org.dl4jquant.tensor;

/** Integer codes. */
final class QuantizedTensor {}
