// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import java.util.Arrays;
import org.relaydiffusion.diffusion.image.Pixels;

/**
 * Renders a scene at 256 pixels or more, then averages over equal squares to the requested size. A
 * small image is therefore the average of the large one of the same scene, as in the two stages of
 * the relay. Only operations with a unique correctly rounded result are used, so the bytes are the
 * same on every machine.
 */
final class ShapeRenderer {
  private static final int LEAST_SIDE = 256;

  /** Light comes from the top left: shadows are displaced by this fraction of the image size. */
  private static final double SHADOW_OFFSET = 0.03;

  private static final double SHADOW_BLUR = 0.09;
  private static final double SHADOW_DEPTH = 0.35;
  private static final double RIM = 0.045;
  private static final double TEXTURE_DEPTH = 0.13;
  private static final double TEXTURE_PERIOD = 6.0 / 64;

  private final ShapeScene scene;
  private final int side;
  private final double[] pixel = new double[3];

  private ShapeRenderer(ShapeScene scene, int side) {
    this.scene = scene;
    this.side = side;
  }

  /**
   * Renders a scene, RGB.
   *
   * @param resolution the side of the image, a power of two
   */
  static Pixels draw(ShapeScene scene, int resolution) {
    int factor = Math.max(1, LEAST_SIDE / resolution);
    ShapeRenderer renderer = new ShapeRenderer(scene, factor * resolution);
    double[] row = new double[resolution * 3];
    Pixels pixels = Pixels.black(resolution, resolution, 3);
    double scale = 255.0 / (factor * factor);
    for (int y = 0; y < resolution; y++) {
      Arrays.fill(row, 0);
      for (int line = y * factor; line < (y + 1) * factor; line++) {
        renderer.addLine(line, factor, row);
      }
      for (int i = 0; i < row.length; i++) {
        pixels.data()[y * row.length + i] =
            (byte) (int) Math.clamp(row[i] * scale + 0.5, 0.0, 255.0);
      }
    }
    return pixels;
  }

  private void addLine(int line, int factor, double[] row) {
    for (int column = 0; column < side; column++) {
      shade((column + 0.5) / side, (line + 0.5) / side);
      int to = column / factor * 3;
      row[to] += pixel[0];
      row[to + 1] += pixel[1];
      row[to + 2] += pixel[2];
    }
  }

  /** Computes the colour at a position of the image, into {@link #pixel}. */
  private void shade(double x, double y) {
    double across = 0.5 + ((x - 0.5) * scene.slopeX() + (y - 0.5) * scene.slopeY()) / 1.42;
    double shadow = 1 - SHADOW_DEPTH * shadow(x, y);
    fill(scene.top(), scene.bottom(), across, shadow);
    double u = turnedX(x, y);
    double v = turnedY(x, y);
    if (u * u + v * v > 1.1) {
      return;
    }
    double distance = scene.shape().distance(u, v) * scene.radius();
    double cover = Math.clamp(0.5 - distance * side, 0.0, 1.0);
    if (cover == 0) {
      return;
    }
    double red = pixel[0];
    double green = pixel[1];
    double blue = pixel[2];
    double blur = 1 / (side * scene.radius());
    double share = 1 - scene.shape().firstColour(u, v, blur);
    fill(scene.first(), scene.second(), share, light(x, y, distance));
    pixel[0] = red + (pixel[0] - red) * cover;
    pixel[1] = green + (pixel[1] - green) * cover;
    pixel[2] = blue + (pixel[2] - blue) * cover;
  }

  /**
   * Sets {@link #pixel}. Values are clipped here, before averaging; otherwise the result would
   * depend on the size.
   */
  private void fill(Rgb from, Rgb to, double share, double light) {
    pixel[0] = Math.min(1, (from.red() + (to.red() - from.red()) * share) * light);
    pixel[1] = Math.min(1, (from.green() + (to.green() - from.green()) * share) * light);
    pixel[2] = Math.min(1, (from.blue() + (to.blue() - from.blue()) * share) * light);
  }

  /** Returns the strength of the shadow: 1 in the middle, 0 outside. */
  private double shadow(double x, double y) {
    double u = turnedX(x - SHADOW_OFFSET, y - SHADOW_OFFSET);
    double v = turnedY(x - SHADOW_OFFSET, y - SHADOW_OFFSET);
    if (u * u + v * v > 2) {
      return 0;
    }
    double distance = scene.shape().distance(u, v) * scene.radius();
    double depth = Math.clamp(0.5 - distance / SHADOW_BLUR, 0.0, 1.0);
    return depth * depth * (3 - 2 * depth);
  }

  /**
   * Returns the brightness of the surface: brighter towards the light, darker at the rim, with its
   * texture.
   */
  private double light(double x, double y, double distance) {
    double facing = 1 - 0.2 * ((x - scene.x()) + (y - scene.y())) / scene.radius();
    double rim = Math.clamp(-distance / RIM, 0.0, 1.0);
    double bevel = 0.72 + 0.28 * rim;
    double texture =
        switch (scene.texture()) {
          case PLAIN -> 0;
          case HATCHED -> wave(x + y);
          case DOTTED -> Math.min(1, 2 * wave(x) * wave(y));
        };
    return facing * bevel * (1 - TEXTURE_DEPTH * texture);
  }

  /** Returns a smooth wave between 0 and 1 with the period of the textures. */
  private static double wave(double at) {
    double turns = at / TEXTURE_PERIOD;
    double triangle = Math.abs(2 * (turns - Math.floor(turns)) - 1);
    return triangle * triangle * (3 - 2 * triangle);
  }

  private double turnedX(double x, double y) {
    return ((x - scene.x()) * scene.cosine() + (y - scene.y()) * scene.sine()) / scene.radius();
  }

  private double turnedY(double x, double y) {
    return ((y - scene.y()) * scene.cosine() - (x - scene.x()) * scene.sine()) / scene.radius();
  }
}
