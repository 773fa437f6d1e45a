package org.dl4jquant.cli;

import java.util.ArrayList;
import java.util.List;
import org.dl4jquant.Quantization;
import org.dl4jquant.precision.LayerPrecision;
import org.dl4jquant.precision.LayerSelector;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Which layers get other widths than the rest. */
final class PinOptions {
  private static final String PIN = "--pin";
  private static final String PIN_ACTIVATIONS = "--pin-activations";
  private static final String SELECTOR_BITS = "SELECTOR=BITS";

  @Option(
      names = PIN,
      paramLabel = SELECTOR_BITS,
      description =
          "Weights of this width for some layers, which a search leaves alone: a name, a pattern"
              + " such as 'block*', or type:KIND, as inspect lists them; may be repeated, later ones"
              + " win.")
  private List<String> weights = new ArrayList<>();

  @Option(
      names = PIN_ACTIVATIONS,
      paramLabel = SELECTOR_BITS,
      description =
          "The same for what layers, vertices and inputs give, 32 for float; needs --calibration.")
  private List<String> activations = new ArrayList<>();

  @Option(
      names = "--keep-float",
      paramLabel = "SELECTOR",
      description = "Layers and vertices to leave in float; wins over --pin; may be repeated.")
  private List<String> floats = new ArrayList<>();

  private PinOptions() {}

  /** Returns whether there is a pin. */
  boolean areGiven() {
    return !weights.isEmpty() || !activations.isEmpty() || !floats.isEmpty();
  }

  /** Checks how the options are written. */
  void check(CommandLine command, boolean calibrated) {
    LayerPrecision any = LayerPrecision.FLOAT;
    weights.forEach(text -> check(command, PIN, text, bits -> any.withWeightBits(bits)));
    activations.forEach(
        text -> check(command, PIN_ACTIVATIONS, text, bits -> any.withActivationBits(bits)));
    if (!activations.isEmpty() && !calibrated) {
      throw new ParameterException(
          command,
          PIN_ACTIVATIONS + " needs a --calibration file to learn the range of values from");
    }
  }

  private interface Width {
    LayerPrecision of(int bits);
  }

  private static void check(CommandLine command, String option, String text, Width width) {
    int split = text.lastIndexOf('=');
    try {
      if (split > 0 && width.of(Integer.parseInt(text.substring(split + 1))) != null) {
        return;
      }
    } catch (NumberFormatException e) {
      // told below
    } catch (IllegalArgumentException e) {
      throw new ParameterException(command, option + " " + text + ": " + e.getMessage(), e);
    }
    throw new ParameterException(
        command,
        option + " must be a name, pattern or type:KIND, = and bits, found '" + text + "'");
  }

  /** Adds the pins. */
  Quantization pin(Quantization quantization) {
    Quantization pinned = quantization;
    for (String text : weights) {
      pinned = pinned.pin(selector(text), bits(text));
    }
    for (String text : activations) {
      pinned = pinned.pinActivations(selector(text), bits(text));
    }
    for (String text : floats) {
      pinned = pinned.keepFloat(LayerSelector.parse(text));
    }
    pinned.plan(); // what selects nothing fails before calibration
    return pinned;
  }

  private static LayerSelector selector(String text) {
    return LayerSelector.parse(text.substring(0, text.lastIndexOf('=')));
  }

  private static int bits(String text) {
    return Integer.parseInt(text.substring(text.lastIndexOf('=') + 1));
  }
}
