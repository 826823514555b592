// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion;

import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The beginning of a plain value's text, for messages. A few bytes of a file can represent a value
 * whose complete text would fill any memory, since one string may be referred to many times. Only
 * text that is displayed is generated.
 */
public final class PlainText {
  private static final String CUT = "...";

  private final int most;

  private final StringBuilder out = new StringBuilder();

  private PlainText(int most) {
    this.most = most;
  }

  /** A value written as a call: {@code type(argument, name=value)}. */
  public interface Call {
    /** Returns the name of the callable. */
    String type();

    /** Returns the positional arguments. */
    List<? extends @Nullable Object> arguments();

    /** Returns the named arguments. */
    Map<String, ? extends @Nullable Object> attributes();
  }

  /**
   * Returns the beginning of a value's text in JSON syntax, with at most {@value Printable#MOST}
   * characters.
   *
   * @param value null, a String, number or Boolean, a {@link Call}, or a list or map of these
   * @return the text, in which an omission is marked
   */
  public static String of(@Nullable Object value) {
    return of(value, Printable.MOST);
  }

  /**
   * Returns the text as {@link #of(Object)}.
   *
   * @param value as above
   * @param most maximum number of characters of the result, at least 16
   */
  public static String of(@Nullable Object value, int most) {
    PlainText text = new PlainText(most);
    text.add(value);
    String shown = Printable.of(text.out.toString(), 8 * most);
    return shown.length() <= most ? shown : shown.substring(0, most - CUT.length()) + CUT;
  }

  private boolean full() {
    return out.length() > most;
  }

  private void add(@Nullable Object value) {
    switch (value) {
      case String s -> quoted(s);
      case Double d when d.isNaN() -> quoted("nan");
      case Double d when d.isInfinite() -> quoted(d > 0 ? "inf" : "-inf");
      case List<?> list -> {
        out.append('[');
        items(list, ",");
        out.append(']');
      }
      case Map<?, ?> map -> {
        out.append('{');
        String before = "";
        Iterator<? extends Map.Entry<?, ?>> entries = map.entrySet().iterator();
        while (entries.hasNext() && !full()) {
          Map.Entry<?, ?> e = entries.next();
          out.append(before);
          quoted(String.valueOf(e.getKey()));
          out.append(':');
          add(e.getValue());
          before = ",";
        }
        out.append('}');
      }
      case Call call -> {
        cut(call.type());
        out.append('(');
        items(call.arguments(), ", ");
        String before = call.arguments().isEmpty() ? "" : ", ";
        Iterator<? extends Map.Entry<String, ?>> attributes =
            call.attributes().entrySet().iterator();
        while (attributes.hasNext() && !full()) {
          Map.Entry<String, ?> e = attributes.next();
          out.append(before);
          cut(e.getKey());
          out.append('=');
          add(e.getValue());
          before = ", ";
        }
        out.append(')');
      }
      case null -> out.append("null");
      default -> cut(value.toString());
    }
  }

  private void items(List<?> items, String between) {
    String before = "";
    Iterator<?> all = items.iterator();
    while (all.hasNext() && !full()) {
      out.append(before);
      add(all.next());
      before = between;
    }
  }

  private void quoted(String text) {
    out.append('"');
    int end = Math.min(text.length(), Math.max(0, most + 1 - out.length()));
    for (int i = 0; i < end; i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        out.append('\\');
      }
      out.append(c);
    }
    out.append('"');
  }

  private void cut(String text) {
    out.append(text, 0, Math.min(text.length(), Math.max(0, most + 1 - out.length())));
  }
}
