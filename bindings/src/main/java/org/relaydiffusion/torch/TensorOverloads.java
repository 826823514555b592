// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/**
 * For operators with an argument of type {@code Scalar}, the overload that takes a tensor in its
 * place. The table is made from LibTorch's own list of operators, and a test holds it to that.
 */
final class TensorOverloads {
  private static final String TABLE = "tensor-overloads.properties";

  private TensorOverloads() {}

  /** The overload that can be called instead of an operator, or an empty text. */
  static String of(String qualifiedName) {
    Properties table = new Properties();
    try (InputStream in = TensorOverloads.class.getResourceAsStream(TABLE)) {
      if (in != null) {
        table.load(in);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    // A colon ends a key in such a file, so that the table has names without their namespace.
    String aten = "aten::";
    String overload =
        qualifiedName.startsWith(aten)
            ? table.getProperty(qualifiedName.substring(aten.length()), "")
            : "";
    return overload.isEmpty() ? "" : aten + overload;
  }
}
