// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.PlainText;

/**
 * An object beside the networks whose class is unknown, such as an {@code argparse.Namespace}: the
 * callable and the arguments with which Python would construct it. Nothing was called.
 *
 * @param type the class or function, such as {@code pathlib.PosixPath}
 * @param arguments its positional arguments, as plain values; then, if present, a list of appended
 *     items, a map of items that were set, and a state that is not a dictionary
 * @param attributes its keyword arguments and the attributes set afterwards, as plain values
 */
public record InertValue(
    String type, List<@Nullable Object> arguments, Map<String, @Nullable Object> attributes)
    implements PlainText.Call {
  /** Copies the arguments, keeping their order. */
  public InertValue {
    arguments = Collections.unmodifiableList(arguments);
    attributes = Collections.unmodifiableMap(new LinkedHashMap<>(attributes));
  }
}
