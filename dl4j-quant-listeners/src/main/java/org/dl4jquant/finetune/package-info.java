/**
 * Training with quantized weights and activations, through DL4J's own hooks.
 *
 * <p>Start at {@link org.dl4jquant.finetune.MixedPrecisionFineTuning}: it builds the network to
 * train from a trained one and the formats of a {@link org.dl4jquant.convert.QuantizedModel}, and
 * makes a model of it again. {@link org.dl4jquant.finetune.FakeQuantizedWeights} alone rounds the
 * weights of layers while float weights learn behind them.
 */
@NullMarked
package org.dl4jquant.finetune;

import org.jspecify.annotations.NullMarked;
