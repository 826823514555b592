// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.relaydiffusion.metrics.inception.PlainImage.Pool;
import org.relaydiffusion.torch.nn.Parameter;

/**
 * Inception-v3 written out once more, in plain Java: the names, strides and paddings of every layer
 * as published, and the numbers of channels that the weights have. It remembers what comes out of
 * every layer.
 */
final class PlainInception {
  private static final double EPS = 1e-3;

  private final Map<String, double[]> values = new LinkedHashMap<>();
  private final Map<String, long[]> shapes = new LinkedHashMap<>();
  private final Map<String, PlainImage> outputs = new LinkedHashMap<>();

  /** Copies a state's values. */
  PlainInception(Map<String, Parameter> state) {
    state.forEach((name, p) -> {
      values.put(name, p.value().toDoubles());
      shapes.put(name, p.shape());
    });
  }

  /** What came out of every layer with values, every pooling at the top, and every block. */
  Map<String, PlainImage> outputs() {
    return outputs;
  }

  /** The 2048 features of an image of 299 x 299 pixels from 0 to 255. */
  double[] run(PlainImage image) {
    PlainImage x = image.mapped(v -> (v - 128) / 128);
    x = conv("conv", x, 2, 0, 0);
    x = conv("conv_1", x, 1, 0, 0);
    x = conv("conv_2", x, 1, 1, 1);
    x = put("pool0", x.pooled(Pool.MAXIMUM, 3, 2, 0));
    x = conv("conv_3", x, 1, 0, 0);
    x = conv("conv_4", x, 1, 0, 0);
    x = put("pool1", x.pooled(Pool.MAXIMUM, 3, 2, 0));
    for (String block : List.of("mixed", "mixed_1", "mixed_2")) {
      x = a(block + ".", x);
    }
    x = b("mixed_3.", x);
    for (String block : List.of("mixed_4", "mixed_5", "mixed_6", "mixed_7")) {
      x = c(block + ".", x);
    }
    x = d("mixed_8.", x);
    x = e("mixed_9.", x, Pool.AVERAGE);
    x = e("mixed_10.", x, Pool.MAXIMUM);
    return put("pool2", x.pooled(Pool.AVERAGE, 8, 8, 0)).values();
  }

  private PlainImage a(String at, PlainImage x) {
    PlainImage t = conv(at + "tower.conv", x, 1, 0, 0);
    t = conv(at + "tower.conv_1", t, 1, 2, 2);
    PlainImage t1 = conv(at + "tower_1.conv", x, 1, 0, 0);
    t1 = conv(at + "tower_1.conv_1", t1, 1, 1, 1);
    t1 = conv(at + "tower_1.conv_2", t1, 1, 1, 1);
    PlainImage t2 = conv(at + "tower_2.conv", x.pooled(Pool.AVERAGE, 3, 1, 1), 1, 0, 0);
    return join(at, conv(at + "conv", x, 1, 0, 0), t, t1, t2);
  }

  private PlainImage b(String at, PlainImage x) {
    PlainImage t = conv(at + "tower.conv", x, 1, 0, 0);
    t = conv(at + "tower.conv_1", t, 1, 1, 1);
    t = conv(at + "tower.conv_2", t, 2, 0, 0);
    return join(at, conv(at + "conv", x, 2, 0, 0), t, x.pooled(Pool.MAXIMUM, 3, 2, 0));
  }

  private PlainImage c(String at, PlainImage x) {
    PlainImage t = conv(at + "tower.conv", x, 1, 0, 0);
    t = conv(at + "tower.conv_1", t, 1, 0, 3);
    t = conv(at + "tower.conv_2", t, 1, 3, 0);
    PlainImage t1 = conv(at + "tower_1.conv", x, 1, 0, 0);
    t1 = conv(at + "tower_1.conv_1", t1, 1, 3, 0);
    t1 = conv(at + "tower_1.conv_2", t1, 1, 0, 3);
    t1 = conv(at + "tower_1.conv_3", t1, 1, 3, 0);
    t1 = conv(at + "tower_1.conv_4", t1, 1, 0, 3);
    PlainImage t2 = conv(at + "tower_2.conv", x.pooled(Pool.AVERAGE, 3, 1, 1), 1, 0, 0);
    return join(at, conv(at + "conv", x, 1, 0, 0), t, t1, t2);
  }

  private PlainImage d(String at, PlainImage x) {
    PlainImage t = conv(at + "tower.conv", x, 1, 0, 0);
    t = conv(at + "tower.conv_1", t, 2, 0, 0);
    PlainImage t1 = conv(at + "tower_1.conv", x, 1, 0, 0);
    t1 = conv(at + "tower_1.conv_1", t1, 1, 0, 3);
    t1 = conv(at + "tower_1.conv_2", t1, 1, 3, 0);
    t1 = conv(at + "tower_1.conv_3", t1, 2, 0, 0);
    return join(at, t, t1, x.pooled(Pool.MAXIMUM, 3, 2, 0));
  }

  private PlainImage e(String at, PlainImage x, Pool pool) {
    PlainImage a = conv(at + "tower_conv", x, 1, 0, 0);
    PlainImage b = conv(at + "tower_1_conv", x, 1, 0, 0);
    b = conv(at + "tower_1_conv_1", b, 1, 1, 1);
    return join(
        at,
        conv(at + "conv", x, 1, 0, 0),
        conv(at + "tower_mixed_conv", a, 1, 0, 1),
        conv(at + "tower_mixed_conv_1", a, 1, 1, 0),
        conv(at + "tower_1_mixed_conv", b, 1, 0, 1),
        conv(at + "tower_1_mixed_conv_1", b, 1, 1, 0),
        conv(at + "tower_2_conv", x.pooled(pool, 3, 1, 1), 1, 0, 0));
  }

  private PlainImage conv(String name, PlainImage x, int stride, int ph, int pw) {
    String prefix = "layers." + name + ".";
    long[] s = Objects.requireNonNull(shapes.get(prefix + "weight"));
    PlainImage y =
        x.convolved(value(prefix + "weight"), (int) s[0], (int) s[2], (int) s[3], stride, ph, pw);
    return put(
        name,
        y.normalised(value(prefix + "mean"), value(prefix + "var"), value(prefix + "beta"), EPS));
  }

  private double[] value(String name) {
    return Objects.requireNonNull(values.get(name));
  }

  private PlainImage join(String at, PlainImage... parts) {
    return put(at.substring(0, at.length() - 1), PlainImage.joined(List.of(parts)));
  }

  private PlainImage put(String name, PlainImage output) {
    outputs.put("layers." + name, output);
    return output;
  }
}
