package org.dl4jquant.listeners;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.deeplearning4j.nn.api.Model;
import org.dl4jquant.update.FineWeights;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The carried tensors of one network, bound to the memory its parameters have at this moment. */
final class CarriedNetwork {
  private static final Logger LOG = LoggerFactory.getLogger(CarriedNetwork.class);

  private final Model model;
  private final long address;
  private final ImmutableList<CarriedTensor> tensors;
  private final ImmutableMap<String, CarriedTensor> byName;
  private final ImmutableMap<String, String> left;

  private CarriedNetwork(Model model, Binding binding) {
    this.model = model;
    address = NativeValues.address(model.params());
    tensors = ImmutableList.copyOf(binding.tensors);
    byName = ImmutableMap.copyOf(binding.byName);
    left = ImmutableMap.copyOf(binding.left);
  }

  /**
   * Binds the parameters that the settings select.
   *
   * @param known fine weights to go on with, by parameter; the others start from the parameters
   * @param taken what other listeners carry in this network
   */
  static CarriedNetwork bind(
      Model model,
      CarrySettings settings,
      Map<String, FineWeights> known,
      List<CarriedTensor> taken) {
    if (model.params() == null) {
      throw new IllegalStateException("the network must be initialized before it is carried");
    }
    ImmutableList<NetworkParameter> parameters = NetworkParameters.of(model);
    Set<String> layers = new LinkedHashSet<>();
    parameters.forEach(parameter -> layers.add(parameter.layer()));
    settings.checkPatterns(layers);
    settings.checkFormats(
        parameters.stream().map(NetworkParameter::name).collect(ImmutableSet.toImmutableSet()));
    Binding binding = new Binding(model.params(), taken);
    for (NetworkParameter parameter : parameters) {
      if (!settings.selects(parameter)) {
        continue;
      }
      if (parameter.frozen()) {
        binding.left.put(parameter.name(), "its layer is frozen");
      } else {
        binding.add(parameter, settings, known.get(parameter.name()));
      }
    }
    if (binding.tensors.isEmpty()) {
      throw new IllegalStateException(
          "layers must select at least one trainable parameter, found none in " + layers);
    }
    for (String name : known.keySet()) {
      if (!binding.byName.containsKey(name)) {
        throw new IllegalStateException(
            name + " is carried, but is no longer a trainable parameter of the network");
      }
    }
    binding.left.forEach((name, reason) -> LOG.info("{} is not carried: {}", name, reason));
    return new CarriedNetwork(model, binding);
  }

  /** Returns a binding to the parameters' present memory; what is new in the network starts. */
  CarriedNetwork rebind(CarrySettings settings, List<CarriedTensor> taken) {
    Map<String, FineWeights> known = new HashMap<>();
    for (CarriedTensor tensor : tensors) {
      known.put(tensor.name(), tensor.fine());
    }
    CarriedNetwork rebound = bind(model, settings, known, taken);
    rebound.tensors.forEach(CarriedTensor::reconcile);
    return rebound;
  }

  /** Returns whether the parameters are still where they were when they were bound. */
  boolean isCurrent() {
    return NativeValues.address(model.params()) == address;
  }

  void step(@Nullable INDArray gradient) {
    if (gradient == null) {
      tensors.forEach(CarriedTensor::reconcile);
      return;
    }
    if (gradient.length() != model.params().length()) {
      throw new IllegalStateException(
          "the update must have "
              + model.params().length()
              + " elements like the parameters, found "
              + gradient.length());
    }
    for (CarriedTensor tensor : tensors) {
      tensor.step(gradient);
    }
  }

  Model model() {
    return model;
  }

  ImmutableList<CarriedTensor> tensors() {
    return tensors;
  }

  /** Returns why selected parameters are not carried, by parameter. */
  ImmutableMap<String, String> left() {
    return left;
  }

  /** Returns the tensor in which the parameter's memory is carried. */
  Optional<CarriedTensor> find(String layer, String parameter) {
    return Optional.ofNullable(byName.get(layer + "." + parameter));
  }

  /** Collects the tensors of a network. */
  private static final class Binding {
    final INDArray all;
    final List<CarriedTensor> tensors = new ArrayList<>();
    final Map<String, CarriedTensor> byName = new HashMap<>();
    final Map<String, String> left = new HashMap<>();
    final Map<Long, CarriedTensor> byOffset = new HashMap<>();

    final List<CarriedTensor> taken;

    Binding(INDArray all, List<CarriedTensor> taken) {
      this.all = all;
      this.taken = taken;
    }

    void add(NetworkParameter parameter, CarrySettings settings, @Nullable FineWeights known) {
      long offset = NativeValues.offset(parameter.name(), parameter.array(), all);
      CarriedTensor same = byOffset.get(offset);
      if (same != null && same.fine().length() == parameter.array().length()) {
        byName.put(parameter.name(), same);
        left.put(parameter.name(), "it is the memory of " + same.name() + ", which is");
        return;
      }
      long length = parameter.array().length();
      for (CarriedTensor other : taken) {
        if (other.overlaps(offset, length)) {
          throw new IllegalStateException(
              parameter.name() + " must be carried by one listener, found two");
        }
      }
      for (CarriedTensor other : tensors) {
        if (other.overlaps(offset, length)) {
          throw new IllegalStateException(
              parameter.name() + " must not share a part of the memory of " + other.name());
        }
      }
      CarriedTensor tensor =
          known != null && known.length() == length
              ? CarriedTensor.resume(parameter, offset, settings, known)
              : CarriedTensor.start(parameter, offset, settings);
      tensors.add(tensor);
      byOffset.put(offset, tensor);
      byName.put(tensor.name(), tensor);
    }
  }
}
