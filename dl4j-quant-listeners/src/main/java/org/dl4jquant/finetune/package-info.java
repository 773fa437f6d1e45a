/**
 * Training with quantized weights in the forward pass, through DL4J's own hooks.
 *
 * <p>{@link org.dl4jquant.finetune.FakeQuantizedWeights} rounds the weights of a layer to the
 * formats that a {@link org.dl4jquant.convert.QuantizedModel} has chosen, while float weights learn
 * behind them.
 */
@NullMarked
package org.dl4jquant.finetune;

import org.jspecify.annotations.NullMarked;
