// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.FileException;
import org.relaydiffusion.OptionException;

class LevelScheduleTest {
  @TempDir private Path folder;

  private Path file(String text) throws IOException {
    return Files.writeString(folder.resolve("levels.txt"), text);
  }

  private AlignYourSteps read(String text) throws IOException {
    return (AlignYourSteps) LevelSchedule.typed("align-your-steps:" + file(text));
  }

  @Test
  void namesAreParsed() {
    assertThat(LevelSchedule.parse("karras")).isEqualTo(LevelSchedule.KARRAS);
    assertThat(LevelSchedule.parse("uniform-lambda"))
        .isInstanceOf(LevelSchedule.UniformLambda.class)
        .hasToString("uniform-lambda");
    assertThatThrownBy(() -> LevelSchedule.typed("karas"))
        .isInstanceOf(OptionException.class)
        .hasMessage(
            "schedule must be karras, uniform-lambda or align-your-steps:FILE, but is 'karas'");
    assertThatThrownBy(() -> LevelSchedule.typed("align-your-steps"))
        .isInstanceOf(OptionException.class);
    assertThatThrownBy(() -> LevelSchedule.typed("align-your-steps:a\0b"))
        .isInstanceOf(OptionException.class)
        .hasMessageContaining("not a valid file name");
  }

  @Test
  void aRecordedScheduleHasItsLevelsAndOpensNoFile() throws IOException {
    AlignYourSteps listed = read("80, 7.5\n0.002");
    assertThat(listed).hasToString("align-your-steps:80.0,7.5,0.002");
    assertThat(LevelSchedule.parse(listed.toString())).isEqualTo(listed);
    assertThatThrownBy(() -> LevelSchedule.parse("align-your-steps:" + file("80,1")))
        .isInstanceOf(OptionException.class)
        .hasMessageStartingWith("schedule must be at most 1000 noise levels, separated by commas");
    assertThatThrownBy(() -> LevelSchedule.parse("align-your-steps:1,2"))
        .hasMessageContaining("falling noise levels");
  }

  /** The place of the last level was once rounded to beyond the end of the list. */
  @Test
  void aClippedListEndsWithItsLastLevel() throws IOException {
    AlignYourSteps listed =
        read("14.615,6.475,3.861,2.697,1.886,1.396,0.963,0.652,0.399,0.152,0.029");
    for (int high = 1; high <= 30; high++) {
      for (int n = 2; n < 40; n++) {
        double[] steps = listed.steps(0.002, high / 2.0, n);
        assertThat(steps[n - 1]).isEqualTo(0.029);
      }
    }
  }

  @Test
  void uniformLambdaHasEqualRatios() {
    double[] steps = new LevelSchedule.UniformLambda().steps(0.002, 80, 18);
    assertThat(steps).hasSize(18);
    assertThat(steps[0]).isEqualTo(80);
    assertThat(steps[17]).isEqualTo(0.002);
    double ratio = StrictMath.pow(0.002 / 80, 1 / 17.0);
    for (int i = 1; i < 18; i++) {
      assertThat(steps[i] / steps[i - 1]).isCloseTo(ratio, within(1e-14));
    }
    assertThatThrownBy(() -> new LevelSchedule.UniformLambda().steps(0, 80, 18))
        .isInstanceOf(OptionException.class)
        .hasMessage("sigma_min must be above 0 for the schedule uniform-lambda");
  }

  @Test
  void aListIsReadInAnySeparation() throws IOException {
    List<Double> expected = List.of(14.615, 6.475, 0.5, 2.9e-2);
    assertThat(read("14.615\n6.475\n.5\n2.9e-2").levels()).isEqualTo(expected);
    assertThat(read(" 14.615, 6.475,.5 ,0.029\r\n").levels()).isEqualTo(expected);
    assertThat(read("14.615 6.475,\n\n0.5\t0.029\n")).isEqualTo(new AlignYourSteps(expected));
    assertThat(new AlignYourSteps(expected)).hasToString("align-your-steps:14.615,6.475,0.5,0.029");
  }

  @Test
  void itIsReadOnce() throws IOException {
    LevelSchedule schedule = read("8,4,2");
    Files.delete(folder.resolve("levels.txt"));
    assertThat(((AlignYourSteps) schedule).steps(0, 80, 3)).containsExactly(8, 4, 2);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'' | must hold noise levels as numbers, separated by commas or line ends, but has ''",
        "4,,2 | but has ''",
        "4,2, | but has ''",
        "4,x,2 | but has 'x'",
        "[4,2] | but has '[4'",
        "4,0x1 | but has '0x1'",
        "4,NaN | but has 'NaN'",
        "4 | a schedule must have 2 to 1000 noise levels, but has 1",
        "4,0 | a schedule must have finite noise levels above 0, but number 2 is 0.0",
        "4,-1 | a schedule must have finite noise levels above 0, but number 2 is -1.0",
        "1e999,4 | a schedule must have finite noise levels above 0, but number 1 is Infinity",
        "4,2,2 | a schedule must have falling noise levels, but number 3 is 2.0 after 2.0",
        "2,4 | a schedule must have falling noise levels, but number 2 is 4.0 after 2.0"
      })
  void nonsenseIsRefused(String text, String message) {
    assertThatThrownBy(() -> read(text))
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(folder.resolve("levels.txt") + ": ")
        .hasMessageContaining(message);
  }

  @Test
  void whatIsNotASmallFileIsRefused() throws IOException {
    assertThatThrownBy(() -> read("4 ".repeat(40_000)))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("has more than 65536 bytes");
    assertThatThrownBy(() -> read("4 ".repeat(1001)))
        .hasMessageContaining("must have 2 to 1000 noise levels, but has 1001");
    Path missing = folder.resolve("missing");
    assertThatThrownBy(() -> LevelSchedule.typed("align-your-steps:" + missing))
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(missing + ": cannot be read");
    assertThatThrownBy(() -> LevelSchedule.typed("align-your-steps:" + folder))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("is a folder");
  }

  @Test
  void aListIsInterpolatedInTheLogarithm() {
    AlignYourSteps list = new AlignYourSteps(List.of(16.0, 4.0, 2.0));
    // Its own number of levels gives the list, to the bit.
    assertThat(list.steps(0.002, 80, 3)).containsExactly(16, 4, 2);
    double[] finer = list.steps(0.002, 80, 5);
    assertThat(finer[0]).isEqualTo(16);
    assertThat(finer[1]).isCloseTo(8, within(1e-14));
    assertThat(finer[2]).isEqualTo(4);
    assertThat(finer[3]).isCloseTo(Math.sqrt(8), within(1e-14));
    assertThat(finer[4]).isEqualTo(2);
    assertThat(list.steps(0.002, 80, 2)).containsExactly(16, 2);
  }

  @Test
  void aRangeCutsTheList() {
    AlignYourSteps list = new AlignYourSteps(List.of(16.0, 4.0, 2.0));
    double[] cut = list.steps(3, 8, 4);
    assertThat(cut[0]).isCloseTo(8, within(1e-14)).isLessThanOrEqualTo(8);
    assertThat(cut[3]).isCloseTo(3, within(1e-14)).isGreaterThanOrEqualTo(3);
    assertThat(cut[1]).isLessThan(cut[0]);
    assertThat(cut[2]).isLessThan(cut[1]);
    assertThat(cut[3]).isLessThan(cut[2]);
    assertThatThrownBy(() -> list.steps(16, 80, 4))
        .isInstanceOf(OptionException.class)
        .hasMessage(
            "schedule must have levels in the range from 80.0 to 16.0, but has 16.0 to 2.0");
    assertThatThrownBy(() -> list.steps(0.1, 2, 4)).isInstanceOf(OptionException.class);
  }
}
