package org.dl4jquant.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.common.hash.Hashing;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.QuantizedModel;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a reader must refuse. Some files here are damaged; others are forged with care: hashes and
 * lengths are right, so that only the content gives them away.
 */
final class TamperedArchiveTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;
  private Path file;
  private QuantizedModel model;

  @BeforeEach
  void write() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(4)
                .list()
                .layer(new DenseLayer.Builder().nIn(6).nOut(5).build())
                .layer(new BatchNormalization.Builder().nIn(5).nOut(5).build())
                .build());
    network.init();
    model = Quantization.of(network).convert();
    file = folder.resolve("m.dq.zip");
    PackedArchive.write(model, file);
  }

  @Test
  void whatIsNoArchiveIsRefused() throws IOException {
    byte[] whole = Files.readAllBytes(file);
    Path text = Files.writeString(folder.resolve("t.zip"), "hello");
    Path half = Files.write(folder.resolve("h.zip"), Arrays.copyOf(whole, whole.length / 2));

    assertFails(folder.resolve("no.zip"), ": does not exist or is not a file");
    assertFails(folder, ": does not exist or is not a file");
    assertFails(text, ": is damaged or not a zip file");
    assertFails(half, ": is damaged or not a zip file");
    assertFails(Files.createFile(folder.resolve("e.zip")), ": is damaged or not a zip file");
  }

  /** A flip in what the zip format itself does not use, such as a time, may do no harm. */
  @Test
  void noFlippedBitGivesAnotherModel() throws IOException {
    byte[] whole = Files.readAllBytes(file);
    SplittableRandom random = new SplittableRandom(17);
    int refused = 0;
    for (int trial = 0; trial < 400; trial++) {
      byte[] changed = whole.clone();
      changed[random.nextInt(whole.length)] ^= (byte) (1 << random.nextInt(8));
      Path damaged = Files.write(folder.resolve("flipped.zip"), changed);
      try {
        assertEquals(model, PackedArchive.read(damaged), "trial " + trial);
      } catch (InvalidArchiveException e) {
        refused++;
        assertTrue(e.getMessage().startsWith(damaged.toString()), e.getMessage());
      }
    }
    assertTrue(refused > 200, refused + " of 400 refused");
  }

  @Test
  void aChangedEntryIsNamed() throws IOException {
    Consumer<Map<String, byte[]>> flip = entries -> entries.get("codes/0.bin")[0] ^= 1;
    assertFails(
        edited(flip),
        ", entry codes/0.bin: is not what the manifest says: length or SHA-256 differs");
    assertFails(
        edited(entries -> entries.put("codes/0.bin", new byte[0])),
        ", entry codes/0.bin: is not what the manifest says: length or SHA-256 differs");
    assertFails(
        edited(entries -> entries.put("codes/0.bin", new byte[1 << 20])),
        ", entry codes/0.bin: is not what the manifest says: length or SHA-256 differs");
    assertFails(
        edited(
            entries ->
                entries.put(
                    "manifest.json",
                    text(entries)
                        .replace("DenseLayer", "OtherLayer")
                        .getBytes(StandardCharsets.UTF_8))),
        ", entry manifest.json: does not match its SHA-256");
  }

  @Test
  void missingAndForeignEntriesAreNamed() throws IOException {
    for (String name : new String[] {"codes/0.bin", "manifest.json", "manifest.sha256"}) {
      assertFails(edited(entries -> entries.remove(name)), ": lacks the entry " + name);
    }
    assertFails(
        edited(entries -> entries.put("../../evil.sh", new byte[3])),
        ": has an entry that the manifest does not name: ../../evil.sh");
    assertFails(
        forged(
            manifest ->
                entryOf(manifest, "../../evil.sh", 0, Hashing.sha256().hashBytes(new byte[0]))),
        ", entry manifest.json: names an entry that nothing uses: ../../evil.sh");
  }

  @Test
  void theFirstVersionWithoutActivationsIsStillRead() throws IOException {
    QuantizedModel read =
        PackedArchive.read(
            forged(
                manifest -> {
                  manifest.put("version", 1).remove("activations");
                  ((ObjectNode) manifest.get("provenance")).remove("activationStrategy");
                }));
    assertEquals(model.provenance(), read.provenance());
    assertEquals(model.layers().get(0).parameters(), read.layers().get(0).parameters());
    assertEquals(0, read.activations().size());
  }

  @Test
  void formatsOfActivationsAreChecked() throws IOException {
    assertFails(
        forged(
            manifest ->
                ((ObjectNode) manifest.get("activations"))
                    .putObject("conv")
                    .put("bitWidth", 40)
                    .put("signed", true)
                    .put("axes", "")
                    .putArray("fractionalLengths")
                    .add(3)),
        ", entry manifest.json: is incomplete or wrong: bitWidth must be between 2 and 32, found"
            + " 40");
  }

  @Test
  void otherFormatsAndVersionsAreNamed() throws IOException {
    assertFails(
        forged(manifest -> manifest.put("version", 6)),
        ", entry manifest.json: version must be between 1 and 5, found 6");
    assertFails(
        forged(manifest -> manifest.put("format", "something else")),
        ", entry manifest.json: format must be 'dl4j-quant packed archive', found \"something"
            + " else\"");
    assertFails(
        edited(entries -> entries.put("manifest.json", new byte[] {'{'})),
        ", entry manifest.json: is not JSON");
    assertFails(
        forged(manifest -> manifest.remove("plan")),
        ", entry manifest.json: is incomplete or wrong: ");
    assertFails(
        forged(manifest -> ((ObjectNode) manifest.at("/plan/default")).put("weightBits", 77)),
        ", entry manifest.json: holds a plan that cannot be used");
    assertFails(
        forged(manifest -> ((ObjectNode) manifest.at("/layers/1")).put("name", "layer0")),
        ", entry manifest.json: is incomplete or wrong: two layers are called layer0");
  }

  @Test
  void lengthsMustFollowFromShapes() throws IOException {
    assertFails(
        forged(manifest -> parameter(manifest, 0).put("bitWidth", 9)),
        ", entry codes/0.bin: must have 34 bytes by its shape, found 30");
    assertFails(
        forged(manifest -> array(parameter(manifest, 0), "shape", 3, 10)),
        ", entry formats/0.bin: must have 10 bytes by its shape, found 5");
    assertFails(
        forged(manifest -> array(parameter(manifest, 0), "shape", 46341, 46341, 46341, 46341)),
        ", entry manifest.json: describes parameter layer0/W wrongly: ");
    assertFails(
        forged(manifest -> array(parameter(manifest, 0), "shape", -6, -5)),
        ", entry manifest.json: describes parameter layer0/W wrongly: shape must have no negative");
    assertFails(
        forged(manifest -> array(parameter(manifest, 0), "axes", 7)),
        ", entry manifest.json: describes parameter layer0/W wrongly: axes must exist in shape");
    assertFails(
        forged(manifest -> parameter(manifest, 2).put("dataType", "INT")),
        "layer1/gamma wrongly: floats cannot be of type INT");
  }

  @Test
  void aBombIsRefusedBeforeItIsUnpacked() throws IOException {
    assertFails(
        forged(
            manifest -> {
              ObjectNode big = parameter(manifest, 2);
              array(big, "shape", 1 << 28);
              ((ObjectNode) manifest.path("entries").path(big.path("content").asText()))
                  .put("length", 1L << 30);
            }),
        ": must unpack to at most 67108864 bytes, found 107374");
    assertFails(
        forged(
            manifest ->
                ((ObjectNode) manifest.path("entries").path("configuration.json"))
                    .put("length", -1)),
        ", entry manifest.json: must name entries of 0 bytes to 2 GiB, found -1");
  }

  @Test
  void valuesMustBeInRange() throws IOException {
    assertFails(
        forged(Map.of("formats/0.bin", new byte[] {1, 2, 127, 4, 5})),
        ", entry codes/0.bin: does not fit parameter layer0/W: fractionalLength must be between"
            + " -126 and 126, found 127");
    byte[] lowest = new byte[30];
    Arrays.fill(lowest, (byte) -128);
    assertFails(
        forged(
            manifest -> parameter(manifest, 0).put("narrowRange", true),
            Map.of("codes/0.bin", lowest)),
        ", entry codes/0.bin: does not fit parameter layer0/W: codes must be between -127 and 127,"
            + " found -128 at index 0");
  }

  private void assertFails(Path damaged, String message) {
    String found =
        assertThrows(InvalidArchiveException.class, () -> PackedArchive.read(damaged)).getMessage();
    assertTrue(found.startsWith(damaged.toString()) && found.contains(message), found);
  }

  private static ObjectNode parameter(ObjectNode manifest, int number) {
    return (ObjectNode) manifest.path("parameters").path(number);
  }

  private static void array(ObjectNode node, String field, int... values) {
    ArrayNode array = node.putArray(field);
    for (int value : values) {
      array.add(value);
    }
  }

  private static void entryOf(ObjectNode manifest, String name, int length, Object sha256) {
    ((ObjectNode) manifest.path("entries"))
        .putObject(name)
        .put("length", length)
        .put("sha256", sha256.toString());
  }

  private static String text(Map<String, byte[]> entries) {
    return new String(entries.get("manifest.json"), StandardCharsets.UTF_8);
  }

  /** Changes the manifest and makes its own hash right again. */
  private Path forged(Consumer<ObjectNode> edit) throws IOException {
    return forged(edit, Map.of());
  }

  private Path forged(Map<String, byte[]> replaced) throws IOException {
    return forged(manifest -> {}, replaced);
  }

  /** Replaces entries too, with the right lengths and hashes. */
  private Path forged(Consumer<ObjectNode> edit, Map<String, byte[]> replaced) throws IOException {
    return edited(
        entries -> {
          try {
            JsonNode manifest = JSON.readTree(entries.get("manifest.json"));
            replaced.forEach(
                (name, bytes) -> {
                  entries.put(name, bytes);
                  entryOf(
                      (ObjectNode) manifest, name, bytes.length, Hashing.sha256().hashBytes(bytes));
                });
            edit.accept((ObjectNode) manifest);
            byte[] written = JSON.writeValueAsBytes(manifest);
            entries.put("manifest.json", written);
            entries.put(
                "manifest.sha256",
                Hashing.sha256().hashBytes(written).toString().getBytes(StandardCharsets.UTF_8));
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        });
  }

  private Path edited(Consumer<Map<String, byte[]>> edit) throws IOException {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    try (ZipInputStream zip = new ZipInputStream(Files.newInputStream(file))) {
      for (ZipEntry e = zip.getNextEntry(); e != null; e = zip.getNextEntry()) {
        entries.put(e.getName(), zip.readAllBytes());
      }
    }
    edit.accept(entries);
    Path target = Files.createTempFile(folder, "edited", ".zip");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(target))) {
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        zip.putNextEntry(new ZipEntry(entry.getKey()));
        zip.write(entry.getValue());
      }
    }
    return target;
  }
}
