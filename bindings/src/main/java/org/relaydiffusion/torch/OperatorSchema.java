// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What an operator takes and returns, as LibTorch registers it and {@code native_functions.yaml}
 * lists it.
 *
 * @param name the operator with its namespace, such as {@code aten::add}
 * @param overload the overload, such as {@code Tensor}; empty for the one without a name
 * @param parameters in their order
 * @param results in their order; none for {@code -> ()}
 */
public record OperatorSchema(
    String name, String overload, List<Parameter> parameters, List<Result> results) {

  /**
   * One parameter.
   *
   * @param name its name
   * @param type its type
   * @param alias which memory it shares with a result, such as {@code a} of {@code Tensor(a!)};
   *     empty where none
   * @param written whether the operator writes into it: {@code (a!)}
   * @param keywordOnly whether it comes after {@code *}
   * @param preset what is passed where it is left out, or empty where it cannot be
   */
  public record Parameter(
      String name,
      SchemaType type,
      String alias,
      boolean written,
      boolean keywordOnly,
      Optional<Default> preset) {
    /** Refuses null. */
    public Parameter {
      TorchException.requireNonNull(name, "name");
      TorchException.requireNonNull(type, "type");
      TorchException.requireNonNull(alias, "alias");
      TorchException.requireNonNull(preset, "preset");
    }

    /** Whether an argument must be given. */
    public boolean isRequired() {
      return preset.isEmpty();
    }
  }

  /**
   * The default of a parameter.
   *
   * @param value null for {@code None}, else a {@link Long}, {@link Double}, {@link Boolean},
   *     {@link String} or an array of {@code long}, {@code double} or {@code boolean}; for other
   *     kinds, the word in the schema
   */
  public record Default(@Nullable Object value) {}

  /**
   * One result.
   *
   * @param type its type
   * @param alias which argument's memory it shares; empty where it has its own
   * @param written whether it is that argument, written into
   */
  public record Result(SchemaType type, String alias, boolean written) {
    /** Refuses null. */
    public Result {
      TorchException.requireNonNull(type, "type");
      TorchException.requireNonNull(alias, "alias");
    }
  }

  /** Copies the lists, and refuses null. */
  public OperatorSchema {
    TorchException.requireNonNull(name, "name");
    TorchException.requireNonNull(overload, "overload");
    TorchException.requireNoNulls(parameters, "parameters");
    TorchException.requireNoNulls(results, "results");
    parameters = List.copyOf(parameters);
    results = List.copyOf(results);
  }

  /**
   * Reads LibTorch's notation.
   *
   * @throws TorchException when the text is not in that notation, naming the place
   */
  public static OperatorSchema parse(String text) {
    TorchException.requireNonNull(text, "text");
    return new SchemaParser(text).parse();
  }

  /** The operator and its overload, such as {@code aten::add.Tensor}. */
  public String qualifiedName() {
    return overload.isEmpty() ? name : name + "." + overload;
  }

  /** The position of the parameter that a result is, written into; -1 for a result that is new. */
  int writtenParameter(Result result) {
    for (int i = 0; i < parameters.size(); i++) {
      Parameter p = parameters.get(i);
      if (result.written()
          && p.written()
          && p.type().isOne(SchemaType.Kind.TENSOR)
          && p.alias().equals(result.alias())) {
        return i;
      }
    }
    return -1;
  }

  /** The position of the parameter {@code wanted}, or -1. */
  int indexOf(String wanted) {
    for (int i = 0; i < parameters.size(); i++) {
      if (parameters.get(i).name().equals(wanted)) {
        return i;
      }
    }
    return -1;
  }
}
