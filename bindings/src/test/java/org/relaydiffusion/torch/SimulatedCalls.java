// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.StringJoiner;
import java.util.WeakHashMap;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.OperatorSchema.Parameter;
import org.relaydiffusion.torch.SchemaType.Kind;
import org.relaydiffusion.torch.testing.DeviceListener;
import org.relaydiffusion.torch.testing.HostEvent;

/**
 * CUDA devices in CPU memory, for {@link org.relaydiffusion.torch.testing.SimulatedGpu}. Results
 * lie where LibTorch would put them, operands on different devices are refused as it refuses them
 * ({@link DeviceRules}), and what the CPU waits for is told.
 */
public final class SimulatedCalls implements DeviceSimulation {
  private final DeviceListener listener;
  private final int devices;

  /** Pinned tensors and views of them. */
  private final Set<Tensor> pinned = Collections.newSetFromMap(new WeakHashMap<>());

  private SimulatedCalls(DeviceListener listener, int devices) {
    this.listener = listener;
    this.devices = devices;
  }

  /** Begins a simulation of this whole process. */
  public static void begin(DeviceListener listener, int devices) {
    if (DeviceSimulation.current() != null) {
      throw new IllegalStateException("another simulation has not been closed");
    }
    DeviceSimulation.install(new SimulatedCalls(listener, devices));
  }

  /** Ends it. */
  public static void end() {
    DeviceSimulation.install(null);
  }

  @Override
  public int deviceCount() {
    return devices;
  }

  // ---- operators

  /** A tensor among a call's arguments. */
  private record Operand(Parameter parameter, Tensor tensor) {
    boolean isOnCpu() {
      return tensor.device().type() == Device.Type.CPU;
    }
  }

  private static List<Operand> operands(OperatorCall call) {
    List<Operand> operands = new ArrayList<>();
    List<Parameter> parameters = call.operator().schema().parameters();
    for (int i = 0; i < parameters.size(); i++) {
      Object value = call.value(i);
      for (Object element : value instanceof Object[] list ? list : new Object[] {value}) {
        if (element instanceof Tensor tensor) {
          operands.add(new Operand(parameters.get(i), tensor));
        }
      }
    }
    return operands;
  }

  @Override
  public void calling(OperatorCall call) {
    String operator = call.operator().schema().name();
    List<Operand> operands = operands(call);
    Device device = device(call, operands);
    if (device == null) {
      return;
    }
    listener.call(text(call));
    if (operator.equals("aten::copy_") || operator.equals("aten::_foreach_copy_")) {
      int pairs = operands.size() / 2;
      for (int i = 0; i < pairs; i++) {
        copying(operands.get(i).tensor, operands.get(i + pairs).tensor, isAsync(call), operator);
      }
      return;
    }
    if (DeviceRules.isOfTheCpu(operator)) {
      refuse("there is no kernel for CUDA: " + text(call));
    }
    for (Operand operand : operands) {
      check(call, operand, device);
    }
    if (DeviceRules.waits(operator) || countsClasses(call)) {
      listener.event(HostEvent.Kind.WAIT, text(call));
    }
  }

  private void check(OperatorCall call, Operand operand, Device device) {
    String operator = call.operator().schema().name();
    String parameter = operand.parameter.name();
    if (!operand.isOnCpu()) {
      if (!operand.tensor.device().equals(device)) {
        refuse(mixed(device, operand.tensor.device(), text(call)));
      }
      if (DeviceRules.isOfTheHost(parameter)) {
        refuse("Expected %s to be on CPU: %s".formatted(parameter, text(call)));
      }
      if (DeviceRules.readsBack(operator, parameter, operand.tensor)) {
        listener.event(HostEvent.Kind.WAIT, text(call));
      }
      return;
    }
    switch (DeviceRules.besideDevice(
        operator, parameter, operand.parameter.written(), operand.tensor.rank())) {
      case REFUSED -> refuse(mixed(device, Device.CPU, text(call)));
      case COPIED -> listener.event(HostEvent.Kind.UPLOAD, text(call));
      case FILLED -> listener.event(HostEvent.Kind.READ_BACK, text(call));
      case NUMBER -> {}
    }
  }

  private static String mixed(Device a, Device b, String call) {
    return "Expected all tensors to be on the same device, but found at least two devices, %s and %s! %s"
        .formatted(a, b, call);
  }

  private void refuse(String message) {
    listener.refused(message);
    throw new TorchException(message);
  }

  /** {@code one_hot} without a number of classes looks for the largest. */
  private static boolean countsClasses(OperatorCall call) {
    int i = call.operator().schema().indexOf("num_classes");
    return i >= 0
        && call.operator().schema().name().equals("aten::one_hot")
        && (!call.isBits(i) || call.bits(i) < 0);
  }

  private static boolean isAsync(OperatorCall call) {
    int i = call.operator().schema().indexOf("non_blocking");
    return i >= 0 && call.isBits(i) && call.bits(i) != 0;
  }

  /** Where a call computes; null where that is the CPU. */
  private static @Nullable Device device(OperatorCall call, List<Operand> operands) {
    List<Parameter> parameters = call.operator().schema().parameters();
    for (int i = 0; i < parameters.size(); i++) {
      if (parameters.get(i).type().isOne(Kind.DEVICE) && call.isBits(i)) {
        Device given = Device.parse(OperatorStack.describe(Kind.DEVICE, call.bits(i)));
        return given.type() == Device.Type.CPU ? null : given;
      }
    }
    return operands.stream()
        .map(operand -> operand.tensor.device())
        .filter(d -> d.type() != Device.Type.CPU)
        .findFirst()
        .orElse(null);
  }

  @Override
  public long bits(Parameter parameter, long bits) {
    if (parameter.type().isOne(Kind.DEVICE)) {
      return OperatorStack.bits(Device.CPU);
    }
    return parameter.name().equals("pin_memory") ? 0 : bits;
  }

  @Override
  public void returned(OperatorCall call, Tensor result) {
    List<Operand> operands = operands(call);
    Device device = device(call, operands);
    boolean ofTheHost = call.operator().schema().name().equals("aten::linspace");
    if (device != null && !ofTheHost) {
      result.simulateOn(device);
    }
    int pin = call.operator().schema().indexOf("pin_memory");
    boolean asked = pin >= 0 && call.isBits(pin) && call.bits(pin) != 0;
    synchronized (pinned) {
      boolean view =
          !operands.isEmpty()
              && !operands.getFirst().parameter.alias().isEmpty()
              && pinned.contains(operands.getFirst().tensor);
      if (asked || view) {
        pinned.add(result);
      }
    }
  }

  @Override
  public void made(Tensor tensor, Device device) {
    tensor.simulateOn(device);
    if (device.type() != Device.Type.CPU) {
      listener.call("empty_strided " + tensor.describe() + Arrays.toString(tensor.strides()));
    }
  }

  // ---- other calls

  @Override
  public void copying(Tensor to, Tensor from) {
    if (to.device().type() != Device.Type.CPU || from.device().type() != Device.Type.CPU) {
      listener.call("copy_(%s, %s)".formatted(to.describe(), from.describe()));
    }
    copying(to, from, false, "copy_");
  }

  private void copying(Tensor to, Tensor from, boolean async, String operator) {
    if (to.device().equals(from.device())) {
      return;
    }
    HostEvent.Kind kind;
    synchronized (pinned) {
      if (from.device().type() == Device.Type.CPU) {
        kind = async && pinned.contains(from) ? HostEvent.Kind.UPLOAD_BEGUN : HostEvent.Kind.UPLOAD;
      } else if (to.device().type() == Device.Type.CPU) {
        kind =
            async && pinned.contains(to)
                ? HostEvent.Kind.READ_BACK_BEGUN
                : HostEvent.Kind.READ_BACK;
      } else {
        kind = HostEvent.Kind.BETWEEN_DEVICES;
      }
    }
    listener.event(kind, "%s(%s, %s)".formatted(operator, to.describe(), from.describe()));
  }

  @Override
  public void subtracting(Tensor a, Tensor b, double alpha) {
    Device device = device(a, b);
    if (device == null) {
      return;
    }
    String text = "aten::sub(self=%s, other=%s, alpha=%s)".formatted(text(a), text(b), alpha);
    listener.call(text);
    for (Tensor t : List.of(a, b)) {
      boolean number = t.device().type() == Device.Type.CPU && t.rank() == 0;
      if (!number && !t.device().equals(device)) {
        refuse(mixed(device, t.device(), text));
      }
    }
  }

  @Override
  public void subtracted(Tensor a, Tensor b, Tensor result) {
    Device device = device(a, b);
    if (device != null) {
      result.simulateOn(device);
    }
  }

  private static @Nullable Device device(Tensor a, Tensor b) {
    if (a.device().type() != Device.Type.CPU) {
      return a.device();
    }
    return b.device().type() == Device.Type.CPU ? null : b.device();
  }

  @Override
  public void reading(Tensor tensor) {
    if (tensor.device().type() != Device.Type.CPU) {
      listener.event(HostEvent.Kind.READ_BACK, "item(%s)".formatted(tensor.describe()));
    }
  }

  // ---- text

  /** The operator and its arguments: a number in place of a tensor that passes one to a kernel. */
  private static String text(OperatorCall call) {
    List<Parameter> parameters = call.operator().schema().parameters();
    StringJoiner text = new StringJoiner(", ", call.operator() + "(", ")");
    for (int i = 0; i < parameters.size(); i++) {
      if (call.value(i) != null && !call.isNone(i)) {
        text.add(parameters.get(i).name() + "=" + text(call, i, parameters.get(i)));
      }
    }
    return text.toString();
  }

  private static String text(OperatorCall call, int i, Parameter parameter) {
    if (call.isBits(i)) {
      return OperatorStack.describe(parameter.type().kind(), call.bits(i));
    }
    return switch (Objects.requireNonNull(call.value(i))) {
      case long[] numbers -> Arrays.toString(numbers);
      case double[] numbers -> Arrays.toString(numbers);
      case boolean[] truths -> Arrays.toString(truths);
      case Tensor tensor ->
          parameter.name().equals("scalars") && tensor.device().equals(Device.CPU)
              ? Arrays.toString(tensor.toDoubles())
              : text(tensor);
      case @Nullable Object[] list ->
          Arrays.stream(list)
              .map(element -> element instanceof Tensor t ? text(t) : "None")
              .toList()
              .toString();
      case Object other -> other.toString();
    };
  }

  private static String text(Tensor tensor) {
    boolean number = tensor.device().type() == Device.Type.CPU && tensor.rank() == 0;
    return number ? tensor.dtype().torchName() + " " + tensor.item() : tensor.describe();
  }
}
