// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.OperatorSchema.Default;
import org.relaydiffusion.torch.OperatorSchema.Parameter;
import org.relaydiffusion.torch.OperatorSchema.Result;

/**
 * Reads the notation of LibTorch's operator schemas ({@code torch::jit::parseSchema}): {@code
 * aten::add.out(Tensor self, Tensor other, *, Scalar alpha=1, Tensor(a!) out) -> Tensor(a!)}.
 */
final class SchemaParser {
  private final String text;
  private int at;

  SchemaParser(String text) {
    this.text = text;
  }

  OperatorSchema parse() {
    String namespace = word();
    expect("::");
    String name = namespace + "::" + word();
    String overload = accept(".") ? word() : "";
    List<Parameter> parameters = parameters();
    expect("->");
    List<Result> results = results();
    if (peek() != 0) {
      throw refused("the end");
    }
    return new OperatorSchema(name, overload, parameters, results);
  }

  // ---- lists of parameters and results

  private List<Parameter> parameters() {
    List<Parameter> parameters = new ArrayList<>();
    boolean keywordOnly = false;
    expect("(");
    while (!accept(")")) {
      if (!parameters.isEmpty() || keywordOnly) {
        expect(",");
      }
      if (!keywordOnly && accept("*")) {
        keywordOnly = true;
        continue;
      }
      Marked type = type();
      String name = word();
      if (parameters.stream().anyMatch(p -> p.name().equals(name))) {
        throw refused("another name than " + name);
      }
      Optional<Default> preset =
          accept("=") ? Optional.of(new Default(value(type.type))) : Optional.empty();
      parameters.add(new Parameter(name, type.type, type.alias, type.written, keywordOnly, preset));
    }
    return parameters;
  }

  private List<Result> results() {
    List<Result> results = new ArrayList<>();
    if (!accept("(")) {
      results.add(result());
      return results;
    }
    while (!accept(")")) {
      if (!results.isEmpty()) {
        expect(",");
      }
      results.add(result());
    }
    return results;
  }

  private Result result() {
    Marked type = type();
    if (isWordStart(peek())) {
      word();
    }
    return new Result(type.type, type.alias, type.written);
  }

  // ---- types

  /** A type with its alias. */
  private record Marked(SchemaType type, String alias, boolean written) {}

  private Marked type() {
    String name;
    if (peek() == '(') {
      name = "Tuple" + parenthesised();
    } else if (accept("...")) {
      throw refused("a type: an operator with any number of arguments cannot be called");
    } else {
      name = typeName();
      if (peek() == '(' && isGeneric(name)) {
        name += parenthesised();
      }
    }
    String alias = "";
    boolean written = false;
    boolean list = false;
    boolean marked = false;
    boolean markedElements = false;
    int size = 0;
    while (true) {
      if (peek() == '(') {
        String marks = parenthesised();
        written |= marks.indexOf('!') >= 0;
        alias += marks.substring(1, marks.length() - 1).replace("!", "").replace(" ", "");
      } else if (!list && accept("[")) {
        list = true;
        markedElements = marked;
        marked = false;
        size = peek() == ']' ? 0 : size();
        expect("]");
      } else if (!marked && accept("?")) {
        marked = true;
      } else if (list && peek() == '[') {
        // A list of lists is not carried; it keeps its name.
        accept("[");
        expect("]");
        name += "[]";
      } else {
        break;
      }
    }
    SchemaType type =
        new SchemaType(SchemaType.Kind.of(name), markedElements, list, size, marked, name);
    return new Marked(type, alias, written);
  }

  private static boolean isGeneric(String name) {
    return switch (name) {
      case "Dict", "Future", "RRef", "Await", "Union", "Tuple" -> true;
      default -> false;
    };
  }

  /** The name of a type; those of classes have dots in them. */
  private String typeName() {
    StringBuilder name = new StringBuilder(word());
    while (accept(".")) {
      name.append('.').append(word());
    }
    return name.toString();
  }

  /** What stands between a parenthesis and its counterpart, with both. */
  private String parenthesised() {
    int from = at;
    int depth = 0;
    do {
      char c = peek();
      if (c == 0) {
        throw refused("')'");
      }
      depth += c == '(' ? 1 : c == ')' ? -1 : 0;
      at++;
    } while (depth > 0);
    return text.substring(from, at);
  }

  // ---- defaults

  private @Nullable Object value(SchemaType type) {
    if (accept("None")) {
      return null;
    }
    if (!type.list()) {
      return single(type.kind());
    }
    List<Object> elements = new ArrayList<>();
    if (accept("[")) {
      while (!accept("]")) {
        if (!elements.isEmpty()) {
          expect(",");
        }
        elements.add(single(type.kind()));
      }
    } else {
      Object each = single(type.kind());
      for (int i = 0; i < Math.max(1, type.size()); i++) {
        elements.add(each);
      }
    }
    return switch (type.kind()) {
      case INT -> elements.stream().mapToLong(e -> (Long) e).toArray();
      case FLOAT -> elements.stream().mapToDouble(e -> (Double) e).toArray();
      case BOOL -> {
        boolean[] values = new boolean[elements.size()];
        for (int i = 0; i < values.length; i++) {
          values[i] = (Boolean) elements.get(i);
        }
        yield values;
      }
      default -> elements.toString();
    };
  }

  private Object single(SchemaType.Kind kind) {
    char next = peek();
    return switch (kind) {
      case INT -> isWordStart(next) ? named() : (Object) integer();
      case FLOAT -> floating();
      case BOOL -> {
        if (accept("True")) {
          yield true;
        }
        expect("False");
        yield false;
      }
      case STR -> quoted();
      case DTYPE, LAYOUT, MEMORY_FORMAT -> isWordStart(next) ? constant() : (Object) integer();
      default -> word(next);
    };
  }

  /** The names that schemas have for numbers: {@code at::Reduction}. */
  private long named() {
    String name = word();
    return switch (name) {
      case "Mean" -> 1;
      case "Sum" -> 2;
      default -> throw refused("a number instead of " + name);
    };
  }

  /** The names that schemas have for element types, layouts and memory formats. */
  private long constant() {
    String name = word();
    return switch (name) {
      case "strided", "contiguous_format" -> 0;
      case "long" -> DType.INT64.code();
      case "float" -> DType.FLOAT32.code();
      case "double" -> DType.FLOAT64.code();
      case "bool" -> DType.BOOL.code();
      default -> throw refused("a known name instead of " + name);
    };
  }

  private long integer() {
    String digits = number();
    try {
      return Long.parseLong(digits);
    } catch (NumberFormatException e) {
      throw refused("a whole number instead of '" + digits + "'");
    }
  }

  private int size() {
    long size = integer();
    if (size < 1 || size > 64) {
      throw refused("a size from 1 to 64");
    }
    return (int) size;
  }

  private double floating() {
    String digits = isWordStart(peek()) ? word() : number();
    try {
      return switch (digits) {
        case "inf" -> Double.POSITIVE_INFINITY;
        case "nan" -> Double.NaN;
        default -> Double.parseDouble(digits);
      };
    } catch (NumberFormatException e) {
      throw refused("a number instead of '" + digits + "'");
    }
  }

  private String number() {
    peek();
    int from = at;
    while (at < text.length() && "+-.0123456789eE".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
    return text.substring(from, at);
  }

  private String quoted() {
    char quote = peek();
    if (quote != '"' && quote != '\'') {
      throw refused("a string");
    }
    StringBuilder value = new StringBuilder();
    for (at++; at < text.length() && text.charAt(at) != quote; at++) {
      if (text.charAt(at) == '\\' && at + 1 < text.length()) {
        at++;
      }
      value.append(text.charAt(at));
    }
    if (at == text.length()) {
      throw refused("the end of a string");
    }
    at++;
    return value.toString();
  }

  /** A word or number that is not looked into. */
  private String word(char next) {
    return isWordStart(next) ? word() : number();
  }

  // ---- characters

  private String word() {
    if (!isWordStart(peek())) {
      throw refused("a name");
    }
    int from = at;
    while (at < text.length() && isWordPart(text.charAt(at))) {
      at++;
    }
    return text.substring(from, at);
  }

  private static boolean isWordStart(char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  }

  private static boolean isWordPart(char c) {
    return isWordStart(c) || (c >= '0' && c <= '9');
  }

  /** The next character that is no space, or 0 at the end. */
  private char peek() {
    while (at < text.length() && text.charAt(at) == ' ') {
      at++;
    }
    return at < text.length() ? text.charAt(at) : 0;
  }

  private boolean accept(String token) {
    peek();
    if (!text.startsWith(token, at)) {
      return false;
    }
    int end = at + token.length();
    if (isWordPart(token.charAt(0)) && end < text.length() && isWordPart(text.charAt(end))) {
      return false;
    }
    at = end;
    return true;
  }

  private void expect(String token) {
    if (!accept(token)) {
      throw refused("'" + token + "'");
    }
  }

  private TorchException refused(String expected) {
    return new TorchException(
        "operator schema '%s', character %s: %s expected".formatted(text, at + 1, expected));
  }
}
