package org.dl4jquant.onnx;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import org.dl4jquant.graph.ActivationFormat;

/** Where the codes of a node's value are in an ONNX graph. */
record CodeTensor(String name, CodeContainer container, ActivationFormat format) {
  /** The metadata entry that tells all of them. */
  static final String KEY = "dl4j-quant.codes";

  /**
   * Returns for example <code>{"conv1":{"tensor":"conv1/codes","type":"INT8","offset":0,
   * "formats":["Q1.6 (8 bit)"]}}</code>.
   */
  static String toJson(Map<String, CodeTensor> codes) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    codes.forEach(
        (node, code) -> {
          ObjectNode entry = json.putObject(node);
          entry.put("tensor", code.name);
          entry.put("type", code.container.type().name());
          entry.put("offset", code.container.offset());
          ArrayNode formats = entry.putArray("formats");
          code.format.formats().forEach(format -> formats.add(format.toString()));
        });
    return json.toString();
  }
}
