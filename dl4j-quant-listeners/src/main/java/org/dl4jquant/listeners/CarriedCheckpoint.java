package org.dl4jquant.listeners;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableIntArray;
import com.google.common.primitives.Longs;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.deeplearning4j.nn.api.Model;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.update.FineWeights;
import org.dl4jquant.update.ResidualArchive;
import org.dl4jquant.update.ResidualTensor;
import org.dl4jquant.update.UpdateRule;
import org.dl4jquant.update.ValueBuffer;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Saves the state of a bound network beside the network and finds it again. */
final class CarriedCheckpoint {
  private static final int BLOCK = 4096;

  private CarriedCheckpoint() {}

  static void save(CarriedNetwork network, Path file) throws IOException {
    ImmutableList<ResidualTensor> tensors =
        network.tensors().stream()
            .map(CarriedTensor::residualTensor)
            .collect(ImmutableList.toImmutableList());
    new ResidualArchive(digest(network.model().params()), tensors).write(file);
  }

  static CarriedNetwork restore(
      CarrySettings settings, Path file, Model model, List<CarriedTensor> taken)
      throws IOException {
    ResidualArchive archive = ResidualArchive.read(file);
    Map<String, NetworkParameter> parameters = new HashMap<>();
    ImmutableList<NetworkParameter> all = NetworkParameters.of(model);
    all.forEach(parameter -> parameters.put(parameter.name(), parameter));
    Map<String, FineWeights> known = new HashMap<>();
    for (ResidualTensor tensor : archive.tensors()) {
      String name = tensor.layer() + "." + tensor.parameter();
      checkShape(file, tensor, parameters.get(name), all);
      checkRule(file, name, tensor.weights().rule(), settings, parameters.get(name));
      checkFormats(file, tensor, settings, parameters.get(name));
      known.put(name, tensor.weights());
    }
    if (!digest(model.params()).equals(archive.modelDigest())) {
      throw new IllegalArgumentException(
          file
              + ": the network must have the weights it had when the file was written, found others"
              + "; save both without a step in between");
    }
    checkComplete(file, settings, all, known);
    return CarriedNetwork.bind(model, settings, known, taken);
  }

  private static void checkShape(
      Path file,
      ResidualTensor saved,
      @Nullable NetworkParameter found,
      ImmutableList<NetworkParameter> all) {
    if (found == null || !saved.shape().equals(longs(found.array().shape()))) {
      String network =
          found == null
              ? all.stream().map(CarriedCheckpoint::describe).toList().toString()
              : describe(found);
      throw new IllegalArgumentException(
          file + ": the network must have " + saved.describe() + ", found " + network);
    }
  }

  private static void checkRule(
      Path file,
      String name,
      UpdateRule saved,
      CarrySettings settings,
      @Nullable NetworkParameter found) {
    UpdateRule wanted = settings.ruleFor(saved.weightFormat()).withExtraBits(saved.extraBits());
    int width = settings.bitWidthOf(Objects.requireNonNull(found));
    if (!wanted.equals(saved) || width != saved.weightFormat().bitWidth()) {
      throw new IllegalArgumentException(
          file
              + ": "
              + name
              + " must be carried in "
              + width
              + " bits by "
              + wanted
              + ", found "
              + saved);
    }
  }

  /** A format of another channel would scale the same state to other weights. */
  private static void checkFormats(
      Path file, ResidualTensor saved, CarrySettings settings, @Nullable NetworkParameter found) {
    ImmutableIntArray wanted =
        settings
            .given(Objects.requireNonNull(found))
            .map(GivenFormats::fractionalLengths)
            .orElse(ImmutableIntArray.of());
    Checks.that(
        wanted.equals(saved.fractionalLengths()),
        file + ": the channels of " + found.name(),
        "have the fractional lengths " + wanted,
        saved.fractionalLengths());
  }

  private static void checkComplete(
      Path file,
      CarrySettings settings,
      ImmutableList<NetworkParameter> all,
      Map<String, FineWeights> known) {
    Set<Long> carried = new HashSet<>();
    for (NetworkParameter parameter : all) {
      if (known.containsKey(parameter.name())) {
        carried.add(NativeValues.address(parameter.array()));
      }
    }
    for (NetworkParameter parameter : all) {
      boolean wanted = settings.selects(parameter) && !parameter.frozen();
      if (wanted && !carried.contains(NativeValues.address(parameter.array()))) {
        throw new IllegalArgumentException(
            file
                + ": the file must have "
                + describe(parameter)
                + ", found only "
                + known.keySet());
      }
    }
  }

  private static String describe(NetworkParameter parameter) {
    return parameter.name() + " " + longs(parameter.array().shape());
  }

  private static ImmutableList<Long> longs(long[] shape) {
    return ImmutableList.copyOf(Longs.asList(shape));
  }

  /** Returns the SHA-256 of all parameters of a network, in hexadecimal. */
  static String digest(INDArray parameters) {
    ValueBuffer values = NativeValues.view("the parameters", parameters, 0, parameters.length());
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      double[] block = new double[BLOCK];
      byte[] bytes = new byte[BLOCK * Double.BYTES];
      for (int from = 0; from < values.length(); from += BLOCK) {
        int count = Math.min(BLOCK, values.length() - from);
        values.read(from, count, block);
        ByteBuffer.wrap(bytes).asDoubleBuffer().put(block, 0, count);
        digest.update(bytes, 0, count * Double.BYTES);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }
}
