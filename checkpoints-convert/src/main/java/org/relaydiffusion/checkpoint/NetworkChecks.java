// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.PlainText;
import org.relaydiffusion.Printable;
import org.relaydiffusion.model.NetworkCatalog;

/**
 * Checks a network without its definition: a known class, a known model, settings in plausible
 * ranges, and floating-point weights.
 */
final class NetworkChecks {
  private static final String MODEL_TYPE = "model_type";

  /** Integer settings with the minimum and maximum of any network. */
  private static final Map<String, Range> WHOLE_NUMBERS =
      Map.of(
          "img_resolution", new Range(1, 1 << 16),
          "img_channels", new Range(1, 1 << 12),
          "label_dim", new Range(0, 1 << 20),
          "augment_dim", new Range(0, 1 << 12),
          "model_channels", new Range(1, 1 << 14),
          "channel_mult_emb", new Range(1, 1 << 8),
          "channel_mult_noise", new Range(1, 1 << 8),
          "num_blocks", new Range(0, 1 << 8));

  private static final Map<String, Range> LISTS =
      Map.of("channel_mult", new Range(1, 1 << 8), "attn_resolutions", new Range(0, 1 << 16));
  private static final int LONGEST_LIST = 32;

  private final Path file;

  private NetworkChecks(Path file) {
    this.file = file;
  }

  private record Range(long least, long most) {
    boolean contains(@Nullable Object value) {
      return value instanceof Long n && n >= least && n <= most;
    }

    @Override
    public String toString() {
      return "an integer from %s to %s".formatted(least, most);
    }
  }

  /**
   * Checks a network.
   *
   * @throws FileException naming the setting or tensor, what was expected and what was found
   */
  static void check(Path file, NetworkRecord network) {
    NetworkChecks checks = new NetworkChecks(file);
    checks.className(network.className());
    checks.settings(network.initKwargs());
    network.tensors().forEach(checks::tensor);
  }

  private void className(String name) {
    Set<String> known = NetworkCatalog.installed().preconditioners();
    if (!known.contains(name)) {
      throw new FileException(
          file,
          "contains a network of class '%s', expected one of %s"
              .formatted(Printable.of(name), known.stream().sorted().toList()));
    }
  }

  private void settings(Map<String, @Nullable Object> kwargs) {
    for (String needed : List.of("img_resolution", "img_channels")) {
      if (!kwargs.containsKey(needed)) {
        throw setting(needed, "missing", "an integer");
      }
    }
    Set<String> models = NetworkCatalog.installed().architectures();
    kwargs.forEach((name, value) -> {
      Range whole = WHOLE_NUMBERS.get(name);
      if (whole != null && !whole.contains(value)) {
        throw setting(name, PlainText.of(value), whole.toString());
      }
      Range items = LISTS.get(name);
      if (items != null && !isList(value, items)) {
        throw setting(name, PlainText.of(value), "up to 32 numbers, each " + items);
      }
      if (name.equals(MODEL_TYPE) && !(value instanceof String s && models.contains(s))) {
        throw setting(name, PlainText.of(value), "one of " + models.stream().sorted().toList());
      }
      if (name.equals("dropout") && !isProbability(value)) {
        throw setting(name, PlainText.of(value), "a number from 0 to 1");
      }
    });
  }

  private static boolean isList(@Nullable Object value, Range items) {
    return value instanceof List<?> list
        && list.size() <= LONGEST_LIST
        && list.stream().allMatch(items::contains);
  }

  private static boolean isProbability(@Nullable Object value) {
    return value instanceof Number n && n.doubleValue() >= 0 && n.doubleValue() <= 1;
  }

  private void tensor(String name, StoredTensor tensor) {
    if (!tensor.dtype().isFloatingPoint()) {
      throw new FileException(
          file,
          "tensor '%s' has dtype %s, expected a floating-point dtype"
              .formatted(Printable.of(name), tensor.dtype().torchName()));
    }
  }

  private FileException setting(String name, String found, String expected) {
    return new FileException(
        file, "the setting %s of the network is %s, expected %s".formatted(name, found, expected));
  }
}
