// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

/**
 * The description of one image of {@code synthetic:shapes}. Lengths are fractions of the side of
 * the image, so a scene can be rendered at any size.
 *
 * @param shape the class
 * @param x centre, from the left
 * @param y centre, from the top
 * @param radius of the circle around the shape
 * @param cosine of the angle of rotation
 * @param sine of the angle of rotation
 * @param first the colour of the shape
 * @param second the other colour of shapes that have two
 * @param texture of the surface
 * @param top background colour at one end
 * @param bottom background colour at the other end
 * @param slopeX direction in which the background changes, a unit vector
 * @param slopeY the other component
 */
record ShapeScene(
    ShapeClass shape,
    double x,
    double y,
    double radius,
    double cosine,
    double sine,
    Rgb first,
    Rgb second,
    Texture texture,
    Rgb top,
    Rgb bottom,
    double slopeX,
    double slopeY) {
  /** The maximum rotation of a shape, 20 degrees: a cross must not become an X. */
  private static final double LARGEST_TURN = StrictMath.PI / 9;

  private static final Rgb WHITE = new Rgb(1, 1, 1);
  private static final Rgb BLACK = new Rgb(0, 0, 0);

  /** The texture of a surface. */
  enum Texture {
    PLAIN,
    HATCHED,
    DOTTED
  }

  /**
   * Returns the scene of one image of a set, which depends only on the arguments.
   *
   * @param seed of the set
   * @param index of the image
   */
  static ShapeScene of(long seed, long index) {
    SplitMix64 random = new SplitMix64(seed, index);
    ShapeClass shape = ShapeClass.of((int) (index % ShapeClass.values().length));
    double radius = random.uniform(0.31, 0.41);
    double room = 0.5 - radius;
    double x = 0.5 + random.uniform(-room, room);
    double y = 0.5 + random.uniform(-room, room);
    double turn = random.uniform(-LARGEST_TURN, LARGEST_TURN);
    double slope = random.uniform(0, 2 * StrictMath.PI);
    boolean dark = random.heads();
    double groundHue = random.uniform();
    // At least a quarter of the colour wheel away from the background.
    double hue = groundHue + random.uniform(0.25, 0.75);
    double groundSaturation = random.uniform(0.25, 0.5);
    double groundValue = dark ? random.uniform(0.2, 0.38) : random.uniform(0.82, 0.95);
    Rgb top = Rgb.ofHue(groundHue, groundSaturation, groundValue);
    Rgb bottom =
        Rgb.ofHue(groundHue + random.uniform(-0.08, 0.08), groundSaturation, groundValue * 0.75);
    Rgb first =
        Rgb.ofHue(
            hue,
            random.uniform(0.5, 0.85),
            dark ? random.uniform(0.88, 1) : random.uniform(0.4, 0.58));
    Rgb second = dark ? first.mix(BLACK, 0.72) : first.mix(WHITE, 0.75);
    Texture texture = Texture.values()[(int) (random.uniform() * Texture.values().length)];
    return new ShapeScene(
        shape,
        x,
        y,
        radius,
        StrictMath.cos(turn),
        StrictMath.sin(turn),
        first,
        second,
        texture,
        top,
        bottom,
        StrictMath.cos(slope),
        StrictMath.sin(slope));
  }
}
