// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.nn;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.TorchException;

/**
 * A part of a network: its own parameters and buffers, and parts below it, each under the name that
 * PyTorch's {@code state_dict} has for it. The order of registration is the order of construction,
 * and so of the random draws of {@link #initialize}.
 *
 * <p>Closing a module frees every value in its tree.
 */
public abstract class Module implements AutoCloseable {
  private final Map<String, Parameter> parameters = new LinkedHashMap<>();
  private final Map<String, Parameter> buffers = new LinkedHashMap<>();
  private final Map<String, Module> children = new LinkedHashMap<>();
  private boolean training;
  private @Nullable Consumer<Tensor> observer;

  /** Made by its subclasses. */
  protected Module() {}

  /**
   * Registers a learned tensor.
   *
   * @throws TorchException when there is something of that name already, or a size is negative
   */
  protected final Parameter parameter(String name, Initializer initializer, long... shape) {
    Parameter p = new Parameter(newName(name), Parameter.Kind.PARAMETER, initializer, shape);
    parameters.put(name, p);
    return p;
  }

  /**
   * Registers a fixed tensor.
   *
   * @throws TorchException when there is something of that name already, or a size is negative
   */
  protected final Parameter buffer(String name, Initializer initializer, long... shape) {
    Parameter p = new Parameter(newName(name), Parameter.Kind.BUFFER, initializer, shape);
    buffers.put(name, p);
    return p;
  }

  /**
   * Registers a part; its name may contain dots, as a part of a dictionary has.
   *
   * @throws TorchException when there is something of that name already, or this module is a part
   *     of that one
   */
  @SuppressWarnings("ReferenceEquality") // Whether it is this very module.
  protected final <M extends Module> M child(String name, M module) {
    TorchException.requireNonNull(module, "module")
        .walk((_, part) -> {
          if (part == this) {
            throw new TorchException(
                "a module cannot be a part of itself, as %s would be".formatted(name));
          }
        });
    children.put(newName(name), module);
    return module;
  }

  /** A further name here; a second thing under it would hide the first. */
  private String newName(String name) {
    if (TorchException.requireNonNull(name, "name").isEmpty()) {
      throw new TorchException("a part of a module needs a name");
    }
    if (parameters.containsKey(name) || buffers.containsKey(name) || children.containsKey(name)) {
      throw new TorchException("this module already has a part named " + name);
    }
    return name;
  }

  /** The parts directly below, by name. */
  public final Map<String, Module> children() {
    return Collections.unmodifiableMap(children);
  }

  /** The parameters and buffers of this module alone, without those below. */
  public final List<Parameter> ownState() {
    return Stream.concat(parameters.values().stream(), buffers.values().stream()).toList();
  }

  /** Whether dropout and the like are on. */
  public final boolean isTraining() {
    return training;
  }

  /** Sets the whole tree to training mode, in which dropout is active. */
  public final void train() {
    walk((_, module) -> module.training = true);
  }

  /** Sets the whole tree to evaluation mode, which is the initial one. */
  public final void eval() {
    walk((_, module) -> module.training = false);
  }

  /**
   * Moves every value of the tree to a device. Create optimizers afterwards: their state is not
   * moved. A module whose device is chosen when it is made refuses.
   *
   * @throws org.relaydiffusion.OptionException when the device cannot be used
   */
  public void to(Device device) {
    TorchException.requireNonNull(device, "device");
    convert(value -> value.device().equals(device) ? value : value.to(device));
  }

  /**
   * Converts every parameter and buffer of a floating-point type to another one. Create optimizers
   * afterwards: their state is not converted. A module whose type is chosen when it is made
   * refuses.
   */
  public void to(DType dtype) {
    TorchException.requireNonNull(dtype, "dtype");
    convert(value ->
        value.dtype() == dtype || !value.dtype().isFloatingPoint() ? value : value.to(dtype));
  }

  /** Replaces values by new leaves; a value that the conversion returns as it is stays. */
  private void convert(UnaryOperator<Tensor> conversion) {
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      for (Parameter p : state().values()) {
        if (p.isSet()) {
          Tensor before = p.value();
          boolean wanted = before.requiresGrad();
          Tensor after = conversion.apply(before);
          if (after != before) {
            after = after.detach();
            after.requiresGrad(wanted);
            p.set(after);
          }
        }
      }
    }
  }

  /** Whether all learned parameters of the tree that have a value require gradients. */
  public final boolean requiresGrad() {
    return parameters().stream().filter(Parameter::isSet).allMatch(p -> p.value().requiresGrad());
  }

  /**
   * Sets whether the learned parameters of the tree require gradients. Parameters without a value
   * are skipped.
   *
   * @throws TorchException when a value is not of a floating type, or was computed from others
   */
  public void requiresGrad(boolean wanted) {
    parameters().stream().filter(Parameter::isSet).forEach(p -> p.value().requiresGrad(wanted));
  }

  /**
   * Every parameter and buffer of the tree by its full name, in {@code state_dict}'s order.
   *
   * @throws TorchException when two have the same: names with dots can meet
   */
  public final Map<String, Parameter> state() {
    Map<String, Parameter> all = new LinkedHashMap<>();
    collect("", all);
    return all;
  }

  /** Every learned parameter of the tree, in the order of {@code torch}'s {@code parameters()}. */
  public final List<Parameter> parameters() {
    return state().values().stream().filter(p -> p.kind() == Parameter.Kind.PARAMETER).toList();
  }

  /** Visits every module of the tree with its path, parents first. */
  public final void walk(BiConsumer<String, Module> visitor) {
    TorchException.requireNonNull(visitor, "visitor");
    walk("", visitor);
  }

  /**
   * Shows every later output of every module of the tree to {@code observer}, with the module's
   * path; null ends it. For summaries and tests: the tensors stay their owners', and one thread
   * runs the network meanwhile.
   */
  public final void observe(@Nullable BiConsumer<String, Tensor> observer) {
    walk((path, module) ->
        module.observer = observer == null ? null : out -> observer.accept(path, out));
  }

  /** Passes an output on, past whoever observes this module. */
  protected final Tensor observed(Tensor output) {
    if (observer != null) {
      observer.accept(output);
    }
    return output;
  }

  /** Whether somebody is shown this module's outputs. */
  protected final boolean isObserved() {
    return observer != null;
  }

  /** The number of learned elements in the tree. */
  public final long parameterCount() {
    return parameters().stream().mapToLong(Parameter::numel).sum();
  }

  /** Gives every parameter and buffer its first value, drawing in the order of construction. */
  public final void initialize(Generator generator) {
    TorchException.requireNonNull(generator, "generator");
    try (TensorScope _ = TensorScope.open()) {
      fill(generator);
    }
  }

  private void fill(Generator generator) {
    parameters.values().forEach(p -> p.set(p.initializer().make(generator, p.shape())));
    buffers.values().forEach(p -> p.set(p.initializer().make(generator, p.shape())));
    children.values().forEach(c -> c.fill(generator));
  }

  private void collect(String prefix, Map<String, Parameter> all) {
    ownState()
        .forEach(p -> {
          if (all.put(prefix + p.name(), p) != null) {
            throw new TorchException("two parameters are named " + prefix + p.name());
          }
        });
    children.forEach((name, c) -> c.collect(prefix + name + ".", all));
  }

  private void walk(String path, BiConsumer<String, Module> visitor) {
    visitor.accept(path, this);
    children.forEach((name, c) -> c.walk(path.isEmpty() ? name : path + "." + name, visitor));
  }

  /** Frees every value in the tree. */
  @Override
  public void close() {
    parameters.values().forEach(Parameter::close);
    buffers.values().forEach(Parameter::close);
    children.values().forEach(Module::close);
  }
}
