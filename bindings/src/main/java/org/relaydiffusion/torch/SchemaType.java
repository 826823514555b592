// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

/**
 * The type of an operator's argument or result, such as {@code Tensor?}, {@code int[2]} or {@code
 * Tensor?[]}.
 *
 * @param kind the type without marks: {@code Tensor} of {@code Tensor?[]}
 * @param optionalElements whether the elements of a list may be {@code None}: {@code Tensor?[]}
 * @param list whether it is a list of that kind
 * @param size the length of a list of fixed size, such as {@code int[2]}, which a single number
 *     fills; 0 where any length will do
 * @param optional whether it may be {@code None} as a whole: {@code Tensor?}, {@code int[]?}
 * @param name the type without marks as the schema spells it
 */
public record SchemaType(
    Kind kind, boolean optionalElements, boolean list, int size, boolean optional, String name) {
  /** Refuses null. */
  public SchemaType {
    TorchException.requireNonNull(kind, "kind");
    TorchException.requireNonNull(name, "name");
  }

  /** What LibTorch's schemas distinguish, and its C ABI can carry or not. */
  public enum Kind {
    /** A tensor. */
    TENSOR,
    /** An integer of 64 bits; {@code SymInt} is one too. */
    INT,
    /** A number in double precision. */
    FLOAT,
    /** A truth value. */
    BOOL,
    /** A string. */
    STR,
    /** An element type, {@link DType}. */
    DTYPE,
    /** {@link org.relaydiffusion.torch.Device}. */
    DEVICE,
    /** {@link org.relaydiffusion.torch.MemoryFormat}. */
    MEMORY_FORMAT,
    /** How a tensor is stored, such as {@code strided}; only its default can be passed. */
    LAYOUT,
    /** A number of any type, which the C ABI does not carry. */
    SCALAR,
    /** Everything else, which the C ABI does not carry. */
    OTHER;

    static Kind of(String name) {
      return switch (name) {
        case "Tensor" -> TENSOR;
        case "int", "SymInt" -> INT;
        case "float" -> FLOAT;
        case "bool" -> BOOL;
        case "str" -> STR;
        case "ScalarType" -> DTYPE;
        case "Device" -> DEVICE;
        case "MemoryFormat" -> MEMORY_FORMAT;
        case "Layout" -> LAYOUT;
        case "Scalar", "number" -> SCALAR;
        default -> OTHER;
      };
    }
  }

  /** Whether a value of this type, other than {@code None}, can cross the C ABI. */
  boolean isCarried() {
    return kind != Kind.SCALAR && kind != Kind.OTHER;
  }

  /** Whether some value of this type can: at least {@code None}, or a list of these. */
  boolean isCallable() {
    return isCarried() || optional || optionalElements;
  }

  boolean isOne(Kind wanted) {
    return kind == wanted && !list;
  }

  boolean isListOf(Kind wanted) {
    return kind == wanted && list;
  }

  /** The type of one element of a list. */
  SchemaType element() {
    return new SchemaType(kind, false, false, 0, optionalElements, name);
  }

  /** The type where it is not {@code None}. */
  SchemaType present() {
    return new SchemaType(kind, optionalElements, list, size, false, name);
  }

  /**
   * Whether both are the same 8 bytes on the stack: the size of a list does not matter there, nor
   * whether an integer is a symbol.
   */
  boolean isPassedAs(SchemaType other) {
    return kind == other.kind
        && (kind != Kind.OTHER || name.equals(other.name))
        && optionalElements == other.optionalElements
        && list == other.list
        && optional == other.optional;
  }

  /** As the schema spells it, without the names of aliases. */
  @Override
  public String toString() {
    return name
        + (optionalElements ? "?" : "")
        + (list ? size == 0 ? "[]" : "[" + size + "]" : "")
        + (optional ? "?" : "");
  }
}
