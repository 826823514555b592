// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.OperatorSchema.Parameter;
import org.relaydiffusion.torch.SchemaType.Kind;

/**
 * One call of an {@link Operator}: its arguments, then one of the methods that make the call and
 * say what comes back. An argument is checked against the schema when it is given. Until the call
 * is made nothing native is held, so that one that is never made costs nothing.
 *
 * <p>An object of this class is for one call, on one thread.
 */
public final class OperatorCall {
  /** An argument whose value is in {@link #bits}. */
  private static final Object BITS = new Object();

  /** An argument that is {@code None}. */
  private static final Object NONE = new Object();

  private final Operator operator;
  private final List<Parameter> parameters;
  private final long[] bits;
  private final @Nullable Object[] values;
  private int next;
  private boolean made;

  OperatorCall(Operator operator) {
    this.operator = operator;
    parameters = operator.schema().parameters();
    bits = new long[parameters.size()];
    values = new Object[bits.length];
  }

  // ---- arguments

  /** The next argument is that of the parameter {@code name}; those after it follow. */
  public OperatorCall at(String name) {
    TorchException.requireNonNull(name, "name");
    int i = operator.schema().indexOf(name);
    if (i < 0) {
      throw new TorchException("%s has no parameter %s".formatted(operator, name));
    }
    next = i;
    return this;
  }

  /** A tensor; null for {@code None} where the schema says {@code Tensor?}. */
  public OperatorCall arg(@Nullable Tensor tensor) {
    Parameter p = nextParameter("a tensor");
    if (tensor == null) {
      return none(p);
    }
    if (!p.type().isOne(Kind.TENSOR)) {
      throw refused(p, tensor.describe());
    }
    return put(tensor);
  }

  /** Tensors; an element may be null where the schema says {@code Tensor?[]}. */
  public OperatorCall arg(@Nullable List<? extends @Nullable Tensor> tensors) {
    Parameter p = nextParameter("a list of tensors");
    if (tensors == null) {
      return none(p);
    }
    @Nullable Tensor[] array = tensors.toArray(new Tensor[0]);
    boolean nothing = p.type().list() && Arrays.stream(array).allMatch(Objects::isNull);
    if (!p.type().isListOf(Kind.TENSOR) && !nothing) {
      throw refused(p, "a list of tensors");
    }
    if (!p.type().optionalElements()) {
      for (int i = 0; i < array.length; i++) {
        if (array[i] == null) {
          throw refused(p, "a list with null at " + i);
        }
      }
    }
    return put(array);
  }

  /**
   * A whole number. For a list it is the only element, or every one of a list of fixed size, such
   * as {@code int[2]}.
   */
  public OperatorCall arg(long value) {
    Parameter p = nextParameter(value);
    SchemaType type = p.type();
    if (type.isOne(Kind.INT)) {
      return put(value);
    }
    if (type.isOne(Kind.FLOAT)) {
      return put(Double.doubleToRawLongBits((double) value));
    }
    if (type.isListOf(Kind.INT)) {
      long[] filled = new long[Math.max(1, type.size())];
      Arrays.fill(filled, value);
      return put(filled);
    }
    throw refused(p, value);
  }

  /** A number in double precision. */
  public OperatorCall arg(double value) {
    Parameter p = nextParameter(value);
    if (!p.type().isOne(Kind.FLOAT)) {
      throw refused(p, value);
    }
    return put(Double.doubleToRawLongBits(value));
  }

  /** A truth value. */
  public OperatorCall arg(boolean value) {
    Parameter p = nextParameter(value);
    if (!p.type().isOne(Kind.BOOL)) {
      throw refused(p, value);
    }
    return put(value ? 1 : 0);
  }

  /** Whole numbers. */
  public OperatorCall arg(long @Nullable ... values) {
    Parameter p = nextParameter("whole numbers");
    if (values == null) {
      return none(p);
    }
    requireList(p, Kind.INT, values.length);
    return put(values.clone());
  }

  /** Numbers in double precision. */
  public OperatorCall arg(double @Nullable [] values) {
    Parameter p = nextParameter("numbers");
    if (values == null) {
      return none(p);
    }
    requireList(p, Kind.FLOAT, values.length);
    return put(values.clone());
  }

  /** Truth values. */
  public OperatorCall arg(boolean @Nullable [] values) {
    Parameter p = nextParameter("truth values");
    if (values == null) {
      return none(p);
    }
    requireList(p, Kind.BOOL, values.length);
    return put(values.clone());
  }

  /** A string. LibTorch 2.10 loses 32 bytes at every such call: not for what is called often. */
  public OperatorCall arg(@Nullable String text) {
    Parameter p = nextParameter("a string");
    if (text == null) {
      return none(p);
    }
    if (!p.type().isOne(Kind.STR)) {
      throw refused(p, '"' + text + '"');
    }
    return put(text);
  }

  /** An element type. */
  public OperatorCall arg(@Nullable DType dtype) {
    Parameter p = nextParameter("an element type");
    if (dtype == null) {
      return none(p);
    }
    if (!p.type().isOne(Kind.DTYPE)) {
      throw refused(p, dtype.torchName());
    }
    return put(dtype.code());
  }

  /** A device. */
  public OperatorCall arg(@Nullable Device device) {
    Parameter p = nextParameter("a device");
    if (device == null) {
      return none(p);
    }
    if (!p.type().isOne(Kind.DEVICE)) {
      throw refused(p, device);
    }
    return put(OperatorStack.bits(device));
  }

  /** An order of elements in memory. */
  public OperatorCall arg(@Nullable MemoryFormat format) {
    Parameter p = nextParameter("a memory format");
    if (format == null) {
      return none(p);
    }
    if (!p.type().isOne(Kind.MEMORY_FORMAT)) {
      throw refused(p, format);
    }
    return put(format.code());
  }

  /** {@code None}. */
  public OperatorCall none() {
    return none(nextParameter("None"));
  }

  private OperatorCall none(Parameter p) {
    if (!p.type().optional()) {
      throw new TorchException(
          "%s: %s is null, but a %s is expected".formatted(operator, p.name(), p.type()));
    }
    values[next++] = NONE;
    return this;
  }

  private Parameter nextParameter(Object given) {
    if (next >= bits.length) {
      throw new TorchException(
          "%s takes %s arguments, and %s comes after them".formatted(operator, bits.length, given));
    }
    return parameters.get(next);
  }

  private OperatorCall put(long value) {
    bits[next] = value;
    values[next++] = BITS;
    return this;
  }

  private OperatorCall put(Object value) {
    values[next++] = value;
    return this;
  }

  private void requireList(Parameter p, Kind kind, int length) {
    if (!p.type().isListOf(kind)) {
      throw refused(p, "a list of %s numbers".formatted(length));
    }
  }

  private TorchException refused(Parameter p, Object given) {
    return new TorchException(
        "%s: %s is a %s, not %s".formatted(operator, p.name(), p.type(), given));
  }

  // ---- the call

  /**
   * Calls an operator that returns one tensor.
   *
   * @return a new tensor, the current scope's; for an operator that writes into an argument and
   *     returns it, that argument
   * @throws TorchException when an argument is missing, closed, of another thread or read-only, or
   *     LibTorch refuses the call, or the operator returns something else
   */
  public Tensor tensor() {
    require(operator.returnsTensor(), "one tensor");
    long handle = invoke().get(ValueLayout.JAVA_LONG, 0);
    return OperatorStack.tensor(this, 0, handle);
  }

  /**
   * Calls an operator that returns several tensors.
   *
   * @return as many as the schema says, as for {@link #tensor}
   * @throws TorchException as for {@link #tensor}, and when LibTorch leaves one of them out
   */
  public List<Tensor> tensors() {
    List<SchemaType> types = resultTypes();
    require(!types.isEmpty() && types.stream().allMatch(t -> t.isOne(Kind.TENSOR)), "tensors");
    List<@Nullable Object> results = results();
    List<Tensor> tensors = new ArrayList<>();
    for (Object result : results) {
      if (result instanceof Tensor t) {
        tensors.add(t);
      }
    }
    if (tensors.size() < results.size()) {
      OperatorStack.close(results);
      throw new TorchException(
          "%s left its result %s out; values() shows which there are"
              .formatted(operator, results.indexOf(null)));
    }
    return tensors;
  }

  /** Calls an operator that returns a list of tensors; otherwise as {@link #tensor}. */
  public List<Tensor> tensorList() {
    requireOne(resultTypes().stream().anyMatch(t -> t.isListOf(Kind.TENSOR)), "a list of tensors");
    return OperatorStack.tensors(this, invoke().get(ValueLayout.JAVA_LONG, 0));
  }

  /** Calls an operator that returns one truth value; otherwise as {@link #tensor}. */
  public boolean bool() {
    requireOne(resultTypes().stream().anyMatch(t -> t.isOne(Kind.BOOL)), "a truth value");
    return (invoke().get(ValueLayout.JAVA_LONG, 0) & 0xff) != 0;
  }

  /** Calls an operator that returns one whole number; otherwise as {@link #tensor}. */
  public long integer() {
    requireOne(resultTypes().stream().anyMatch(t -> t.isOne(Kind.INT)), "a whole number");
    return invoke().get(ValueLayout.JAVA_LONG, 0);
  }

  /** Calls an operator that returns one number; otherwise as {@link #tensor}. */
  public double number() {
    requireOne(resultTypes().stream().anyMatch(t -> t.isOne(Kind.FLOAT)), "a number");
    return Double.longBitsToDouble(invoke().get(ValueLayout.JAVA_LONG, 0));
  }

  /** Calls an operator that returns nothing; otherwise as {@link #tensor}. */
  public void run() {
    require(resultTypes().isEmpty(), "nothing");
    MemorySegment _ = invoke();
  }

  /**
   * Calls any operator.
   *
   * @return its results in their order: a {@link Tensor}, {@link Long}, {@link Double}, {@link
   *     Boolean}, {@link String}, {@link DType}, {@link Device} or {@link MemoryFormat}, a list of
   *     these, or null for {@code None} and for a tensor that LibTorch left out
   */
  public List<@Nullable Object> values() {
    return results();
  }

  private List<@Nullable Object> results() {
    MemorySegment stack = invoke();
    long[] slots = new long[resultTypes().size()];
    MemorySegment.copy(stack, ValueLayout.JAVA_LONG, 0, slots, 0, slots.length);
    List<@Nullable Object> results = new ArrayList<>();
    for (int i = 0; i < slots.length; i++) {
      results.add(OperatorStack.result(this, i, slots[i]));
    }
    return Collections.unmodifiableList(results);
  }

  private List<SchemaType> resultTypes() {
    return operator.resultTypes();
  }

  private void requireOne(boolean fits, String expected) {
    require(fits && resultTypes().size() == 1, expected);
  }

  private void require(boolean fits, String expected) {
    if (!fits) {
      throw new TorchException(
          "%s returns %s, not %s".formatted(operator, resultTypes(), expected));
    }
  }

  /** Makes the call; the results lie on this thread's stack until the next one. */
  private MemorySegment invoke() {
    if (made) {
      throw new TorchException("this call of %s has been made already".formatted(operator));
    }
    for (int i = 0; i < bits.length; i++) {
      if (values[i] == null && parameters.get(i).isRequired()) {
        throw new TorchException("%s: %s is missing".formatted(operator, parameters.get(i).name()));
      }
    }
    made = true;
    return OperatorStack.invoke(this);
  }

  Operator operator() {
    return operator;
  }

  /** Whether argument i is a value of 8 bytes: {@link #bits}. */
  boolean isBits(int i) {
    return values[i] == BITS;
  }

  long bits(int i) {
    return bits[i];
  }

  boolean isNone(int i) {
    return values[i] == NONE;
  }

  /** The object given for argument i, or null where it was left out. */
  @Nullable Object value(int i) {
    return values[i];
  }

  /** The operator and its arguments, for a message. */
  @Override
  public String toString() {
    StringJoiner text = new StringJoiner(", ", operator + "(", ")");
    for (int i = 0; i < bits.length; i++) {
      if (values[i] != null) {
        text.add(parameters.get(i).name() + "=" + describe(i));
      }
    }
    return text.toString();
  }

  private String describe(int i) {
    Object value = values[i];
    if (value == BITS) {
      return OperatorStack.describe(parameters.get(i).type().kind(), bits[i]);
    }
    return switch (value) {
      case null -> "";
      case Object none when none == NONE -> "None";
      case long[] numbers -> Arrays.toString(numbers);
      case double[] numbers -> Arrays.toString(numbers);
      case boolean[] truths -> Arrays.toString(truths);
      case Tensor tensor -> tensor.describe();
      case @Nullable Tensor[] tensors -> Tensor.describe(Arrays.asList(tensors));
      default -> value.toString();
    };
  }
}
