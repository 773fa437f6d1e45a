package org.dl4jquant.format.planted;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectOutputStream;
import org.dl4jquant.PlantedRoot;
import org.dl4jquant.tensor.planted.Accomplice;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Breaks every rule of the architecture on purpose; its test must notice. */
public final class Offender {
  /** Imports the root package. */
  public PlantedRoot root(PlantedRoot root) {
    return root;
  }

  /** Imports a package above this one. */
  public Accomplice above(Accomplice accomplice) {
    return accomplice;
  }

  /** Knows ND4J in a pure package. */
  public long length(INDArray array) {
    return array.length();
  }

  /** Uses Java serialization and the console. */
  public byte[] serialize(String text) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream objects = new ObjectOutputStream(bytes)) {
      objects.writeObject(text);
    }
    System.out.println(text);
    return bytes.toByteArray();
  }
}
