package org.dl4jquant.dl4j;

/** Draws one kind of layer. */
interface LayerMapping {
  /** Why a layer that takes images stays float where a preprocessor cut a sequence into them. */
  String PER_STEP = "it runs on each step of a sequence by itself";

  /**
   * Adds the layer's nodes.
   *
   * @param input what the layer takes, its preprocessor already applied
   * @return what the layer gives
   */
  Value map(LayerScope layer, Value input);
}
