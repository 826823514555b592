// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.OperatorSchema.Parameter;
import org.relaydiffusion.torch.OperatorSchema.Result;
import org.relaydiffusion.torch.ffi.DispatcherAbi;
import org.relaydiffusion.torch.ffi.SchemaAbi;

/**
 * One of LibTorch's operators, by its schema. Every operator of this library goes through this
 * class, and any other that the C ABI carries can be called with it:
 *
 * <pre>{@code
 * private static final Operator ERF = Operator.of("aten::erf(Tensor self) -> Tensor");
 * private static final Operator TRIL =
 *     Operator.of("aten::tril(Tensor self, SymInt diagonal=0) -> Tensor");
 *
 * Tensor y = ERF.apply(x);
 * Tensor lower = TRIL.call().arg(x).arg(-1).tensor();
 * }</pre>
 *
 * <p>A schema is what {@code native_functions.yaml} has after {@code func:}, or what {@code
 * torch.ops.aten.tril.default._schema} prints. Arguments are checked against it before anything
 * native happens, and what the operator writes into, marked {@code (a!)}, must be writable. At the
 * first call the text is compared with what LibTorch itself has registered; a build of LibTorch
 * that cannot be asked (one newer than 2.14, or one for macOS or Windows) is trusted to have the
 * operator as the text says.
 *
 * <p>LibTorch's C ABI does not carry every type. An operator with an argument of type {@code
 * Scalar} is refused when it is made: most have an overload that takes a 0-dim tensor instead. Of
 * types such as {@code Generator?} only {@code None} can be passed.
 *
 * <p>Operators are immutable and safe to use from several threads.
 */
public final class Operator {
  private static final ConcurrentMap<String, Operator> MADE = new ConcurrentHashMap<>();

  /** Those in-place operators that change sizes, strides or memory instead of elements. */
  private static final Set<String> RESHAPING =
      Set.of(
          "aten::as_strided_",
          "aten::resize_",
          "aten::resize_as_",
          "aten::resize_as_sparse_",
          "aten::_resize_output_",
          "aten::set_",
          "aten::squeeze_",
          "aten::unsqueeze_",
          "aten::swapaxes_",
          "aten::swapdims_",
          "aten::t_",
          "aten::transpose_",
          "aten::sparse_resize_",
          "aten::sparse_resize_and_clear_",
          "inductor::resize_storage_bytes_");

  private final OperatorSchema schema;
  private final List<SchemaType> resultTypes;
  private final int[] returnedArguments;

  /** How many tensors it takes, where it takes nothing else and returns one; otherwise 0. */
  private final int tensorsOnly;

  private final boolean mayReshape;
  private volatile @Nullable Binding binding;

  private Operator(OperatorSchema schema) {
    this.schema = schema;
    resultTypes = schema.results().stream().map(Result::type).toList();
    returnedArguments = schema.results().stream().mapToInt(schema::writtenParameter).toArray();
    boolean plain =
        returnsTensor()
            && schema.parameters().stream()
                .allMatch(p -> p.type().isOne(SchemaType.Kind.TENSOR) && !p.type().optional());
    tensorsOnly = plain ? schema.parameters().size() : 0;
    mayReshape = !schema.name().endsWith("_") || RESHAPING.contains(schema.name());
  }

  /**
   * The operator of a schema. Nothing native happens yet.
   *
   * @param schema in LibTorch's notation, with its namespace
   * @throws TorchException when the text is no schema, or one that LibTorch's C ABI cannot carry
   */
  public static Operator of(String schema) {
    TorchException.requireNonNull(schema, "schema");
    return MADE.computeIfAbsent(schema, Operator::parse);
  }

  /**
   * The operator with a name, as this LibTorch has it registered.
   *
   * @param qualifiedName with its namespace and overload, such as {@code aten::erf} or {@code
   *     aten::where.self}
   * @throws TorchException when there is none, it is one that LibTorch's C ABI cannot carry, or
   *     this build of LibTorch cannot be asked, which then needs {@link #of} with the whole schema
   */
  public static Operator named(String qualifiedName) {
    TorchException.requireNonNull(qualifiedName, "qualifiedName");
    int dot = qualifiedName.indexOf('.');
    String name = dot < 0 ? qualifiedName : qualifiedName.substring(0, dot);
    String overload = dot < 0 ? "" : qualifiedName.substring(dot + 1);
    return switch (SchemaAbi.find(name, overload)) {
      case SchemaAbi.Answer.Registered(String text) -> of(text);
      case SchemaAbi.Answer.Missing _ -> throw missing(qualifiedName);
      case SchemaAbi.Answer.Unknown _ ->
          throw new TorchException(
              "this LibTorch does not tell the schema of %s: give the whole schema to Operator.of"
                  .formatted(qualifiedName));
    };
  }

  private static Operator parse(String text) {
    OperatorSchema schema = OperatorSchema.parse(text);
    CarriedTypes.check(schema);
    return new Operator(schema);
  }

  private static TorchException missing(String qualifiedName) {
    return new TorchException("this LibTorch has no operator " + qualifiedName);
  }

  /** What it takes and returns. */
  public OperatorSchema schema() {
    return schema;
  }

  /** Begins a call: arguments follow in the schema's order, or by name. */
  public OperatorCall call() {
    return new OperatorCall(this);
  }

  /**
   * Calls an operator that takes one tensor and returns one; other parameters take their defaults.
   *
   * @throws TorchException when other arguments are required, or the call fails
   */
  public Tensor apply(Tensor x) {
    return x != null && takesOnly(1) ? OperatorStack.apply(this, x, null) : call().arg(x).tensor();
  }

  /**
   * Calls an operator that takes two tensors and returns one; other parameters take their defaults.
   *
   * @throws TorchException when other arguments are required, or the call fails
   */
  public Tensor apply(Tensor a, Tensor b) {
    return a != null && b != null && takesOnly(2)
        ? OperatorStack.apply(this, a, b)
        : call().arg(a).arg(b).tensor();
  }

  private boolean takesOnly(int tensors) {
    return tensorsOnly == tensors
        && DeviceSimulation.current() == null
        && binding().added().isEmpty();
  }

  /** The name with its overload, such as {@code aten::add.Tensor}. */
  @Override
  public String toString() {
    return schema.qualifiedName();
  }

  List<SchemaType> resultTypes() {
    return resultTypes;
  }

  boolean returnsTensor() {
    return resultTypes.size() == 1 && resultTypes.getFirst().isOne(SchemaType.Kind.TENSOR);
  }

  /** Whether what it writes into may be of another shape or type afterwards. */
  boolean mayReshape() {
    return mayReshape;
  }

  /** The position of the argument that the only result is, or -1. */
  int returnedArgument() {
    return returnedArguments[0];
  }

  /** The argument that result i is, written into; null for a result that is new. */
  @Nullable Tensor returnedArgument(OperatorCall call, int i) {
    int argument = returnedArguments[i];
    return argument >= 0 && call.value(argument) instanceof Tensor written ? written : null;
  }

  /** How this LibTorch is called. */
  Binding binding() {
    Binding b = binding;
    if (b == null) {
      b = Binding.of(schema);
      binding = b;
    }
    return b;
  }

  /**
   * The operator as this LibTorch has it.
   *
   * @param symbol its names, which the dispatcher finds it by
   * @param added what a newer LibTorch takes after the schema's parameters; each has a default
   */
  record Binding(DispatcherAbi.Symbol symbol, List<Parameter> added) {
    static Binding of(OperatorSchema schema) {
      List<Parameter> added =
          switch (SchemaAbi.find(schema.name(), schema.overload())) {
            case SchemaAbi.Answer.Registered(String text) ->
                SchemaComparison.added(schema, OperatorSchema.parse(text));
            case SchemaAbi.Answer.Missing _ -> throw missing(schema.qualifiedName());
            case SchemaAbi.Answer.Unknown _ -> List.of();
          };
      return new Binding(DispatcherAbi.symbol(schema.name(), schema.overload()), added);
    }
  }
}
