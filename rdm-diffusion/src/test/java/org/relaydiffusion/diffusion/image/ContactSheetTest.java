// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.OptionException;

class ContactSheetTest {
  private static final Pixels A = new Pixels(2, 1, 1, new byte[] {1, 2});
  private static final Pixels B = new Pixels(2, 1, 1, new byte[] {3, 4});
  private static final Pixels C = new Pixels(2, 1, 1, new byte[] {5, 6});

  @Test
  void picturesGoRowByRowWithPaddingAround() {
    Pixels sheet = new ContactSheet(2, 1, 0x090909).of(List.of(A, B, C));
    assertThat(sheet)
        .isEqualTo(
            new Pixels(
                7,
                5,
                1,
                new byte[] {
                  9, 9, 9, 9, 9, 9, 9, //
                  9, 1, 2, 9, 3, 4, 9, //
                  9, 9, 9, 9, 9, 9, 9, //
                  9, 5, 6, 9, 9, 9, 9, //
                  9, 9, 9, 9, 9, 9, 9
                }));
  }

  @Test
  void aColourAnywhereMakesTheSheetRgb() {
    Pixels rgb = new Pixels(1, 1, 3, new byte[] {7, 8, 9});
    assertThat(new ContactSheet(2, 0, 0).of(List.of(A, rgb)).data())
        .containsExactly(1, 1, 1, 2, 2, 2, 7, 8, 9, 0, 0, 0);
    assertThat(new ContactSheet(1, 1, 0x010203).of(List.of(A)).data())
        .startsWith(1, 2, 3, 1, 2, 3)
        .hasSize(4 * 3 * 3);
  }

  @Test
  void smallerPicturesLieInTheMiddleOfTheirCells() {
    Pixels large = Pixels.black(3, 3, 1);
    Pixels small = new Pixels(1, 1, 1, new byte[] {5});
    Pixels sheet = new ContactSheet(2, 0, 0x010101).of(List.of(large, small));
    assertThat(sheet.value(4, 1, 0)).isEqualTo(5);
    assertThat(sheet.value(3, 1, 0)).isEqualTo(1);
    assertThat(sheet.value(2, 1, 0)).isZero();
  }

  @Test
  void theDefaultIsNearlySquare() {
    assertThat(ContactSheet.nearSquare(64).columns()).isEqualTo(8);
    assertThat(ContactSheet.nearSquare(10).columns()).isEqualTo(4);
    assertThat(ContactSheet.nearSquare(1).columns()).isEqualTo(1);
    Pixels sheet = ContactSheet.nearSquare(3).of(List.of(A, B, C));
    assertThat(sheet.width()).isEqualTo(2 * 2 + 3 * 2);
    assertThat(sheet.height()).isEqualTo(2 + 3 * 2);
  }

  @Test
  void nonsenseAndSheetsTooLargeAreRefused() {
    assertThatThrownBy(() -> new ContactSheet(1, 0, 0).of(List.of()))
        .isInstanceOf(OptionException.class);
    assertThatThrownBy(() -> new ContactSheet(0, 0, 0)).isInstanceOf(OptionException.class);
    assertThatThrownBy(() -> new ContactSheet(1, -1, 0)).isInstanceOf(OptionException.class);
    assertThatThrownBy(() -> new ContactSheet(1, 0, 0x1000000)).isInstanceOf(OptionException.class);
    List<Pixels> many = Collections.nCopies(100_000, Pixels.black(64, 64, 1));
    assertThatThrownBy(() -> new ContactSheet(300, 0, 0).of(many))
        .isInstanceOf(OptionException.class)
        .hasMessage("a contact sheet of 19200 x 21376 pixels is too large: at most 2^28 pixels");
  }
}
