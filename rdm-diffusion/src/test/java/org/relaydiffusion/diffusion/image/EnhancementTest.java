// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.fixture.Fixture;
import tools.jackson.databind.JsonNode;

class EnhancementTest {
  private static final Fixture FIXTURE = Fixture.of("samplers/save_and_enhance");

  @Test
  void presetsGiveThePixelsOfPillow() {
    // samplers/save_and_enhance: exact, on RGB and grey pictures.
    JsonNode images = FIXTURE.json("index.json").path("images");
    assertThat(images.size()).isEqualTo(7);
    for (JsonNode image : images) {
      String name = image.stringValue();
      Pixels in = picture(name + "_in");
      assertThat(Enhancement.CELEBAHQ.apply(in)).as(name).isEqualTo(picture(name + "_celebahq"));
      assertThat(Enhancement.IMAGENET.apply(in)).as(name).isEqualTo(picture(name + "_imagenet"));
      assertThat(Enhancement.NONE.apply(in)).isSameAs(in);
    }
  }

  @Test
  void theInputIsLeftAsItWas() {
    Pixels in = Pictures.noise(8, 8, 3);
    Enhancement.CELEBAHQ.apply(in);
    assertThat(in).isEqualTo(Pictures.noise(8, 8, 3));
  }

  @Test
  void factorZeroGivesThePlainPicture() {
    Pixels in = Pictures.noise(8, 8, 3);
    Pixels grey = new Enhancement(1, 1, 0).apply(in);
    assertThat(grey.value(3, 4, 0)).isEqualTo(grey.value(3, 4, 2));
    assertThat(new Enhancement(1, 0, 1).apply(in)).isEqualTo(Pixels.black(8, 8, 3));
    Pixels half = new Pixels(2, 1, 1, new byte[] {10, 21});
    assertThat(new Enhancement(0, 1, 1).apply(half).data()).containsExactly(16, 16);
  }

  @Test
  void factorsBelowZeroAreRefusedByName() {
    assertThatThrownBy(() -> new Enhancement(1, -0.5f, 1))
        .isInstanceOf(OptionException.class)
        .hasMessage("brightness must be a finite number of at least 0, but is -0.5");
    assertThatThrownBy(() -> new Enhancement(Float.NaN, 1, 1)).isInstanceOf(OptionException.class);
  }

  private static Pixels picture(String name) {
    return PictureReader.read(FIXTURE.file(name + ".png"));
  }
}
