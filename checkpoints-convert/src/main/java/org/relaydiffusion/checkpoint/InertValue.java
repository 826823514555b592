package org.relaydiffusion.checkpoint;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.PlainText;

/**
 * An object beside the networks whose class is not known here, such as an {@code
 * argparse.Namespace}: what the file would have Python call, and with what. It was not called.
 *
 * @param type the class or function, e.g. {@code pathlib.PosixPath}
 * @param arguments its positional arguments, as plain values; then, where it has them, a list of
 *     the items added to it, a map of those set in it, and a state that is no dictionary
 * @param attributes its arguments by name and the attributes set afterwards, as plain values
 */
public record InertValue(
    String type, List<@Nullable Object> arguments, Map<String, @Nullable Object> attributes)
    implements PlainText.Call {
  /** Keeps the order. */
  public InertValue {
    arguments = Collections.unmodifiableList(arguments);
    attributes = Collections.unmodifiableMap(new LinkedHashMap<>(attributes));
  }
}
