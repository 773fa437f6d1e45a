package org.dl4jquant.dl4j;

/**
 * What a layer takes or gives.
 *
 * @param node the node of the graph whose value it is
 */
record Value(String node, Layout layout) {
  boolean has(Layout wanted) {
    return layout == wanted;
  }

  /** Returns true if DL4J's batch axis counts the steps of all examples. */
  boolean perStep() {
    return layout == Layout.STEPS || layout == Layout.FOLDED;
  }

  /** Returns the value of another node in the same layout. */
  Value at(String otherNode) {
    return new Value(otherNode, layout);
  }
}
