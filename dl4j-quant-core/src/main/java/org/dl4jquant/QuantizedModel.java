package org.dl4jquant;

import com.google.common.collect.ImmutableMap;
import java.nio.file.Path;
import java.util.Map;
import org.dl4jquant.convert.Attachments;
import org.dl4jquant.convert.ModelContent;
import org.dl4jquant.export.PackedArchive;
import org.dl4jquant.export.PlainArchive;
import org.dl4jquant.report.QuantizationReport;

/**
 * A quantized network as {@link Quantization} gives it: what {@code convert} makes, with the ways
 * out that stand above it, to a report and to files.
 *
 * <p>Immutable and thread-safe, as long as nobody writes to the arrays of float parameters.
 */
public final class QuantizedModel extends org.dl4jquant.convert.QuantizedModel {
  private final ImmutableMap<String, String> raised;

  private QuantizedModel(ModelContent content, ImmutableMap<String, String> raised) {
    super(content);
    this.raised = raised;
  }

  /** Returns a model that reports and saves itself. */
  public static QuantizedModel of(org.dl4jquant.convert.QuantizedModel model) {
    return model instanceof QuantizedModel known
        ? known
        : new QuantizedModel(model.content(), ImmutableMap.of());
  }

  /**
   * Reads what {@link #save} wrote.
   *
   * @throws org.dl4jquant.export.InvalidArchiveException if the file is no such archive
   */
  public static QuantizedModel load(Path file) {
    return of(PackedArchive.read(file));
  }

  /** Returns this model with the reasons why layers got more bits than was asked for. */
  QuantizedModel withRaised(Map<String, String> reasons) {
    return new QuantizedModel(content(), ImmutableMap.copyOf(reasons));
  }

  @Override
  public QuantizedModel with(Attachments other) {
    return new QuantizedModel(super.with(other).content(), raised);
  }

  /**
   * Returns what became of each layer, with the reasons why {@link Quantization#outputClasses} gave
   * some more bits than was asked for; a file does not hold these.
   */
  public QuantizationReport report() {
    return QuantizationReport.of(this).withRaised(raised);
  }

  /**
   * Writes this model with everything attached to it as a {@link PackedArchive}, which {@link
   * #load} reads.
   *
   * @throws java.io.UncheckedIOException if the file cannot be written; it is then as it was before
   */
  public void save(Path file) {
    PackedArchive.write(this, file);
  }

  /**
   * Writes a zip file of the same weights that plain DL4J opens, values not quantized.
   *
   * @throws java.io.UncheckedIOException if the file cannot be written; it is then as it was before
   */
  public void savePlain(Path file) {
    PlainArchive.write(this, file);
  }
}
