// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.OptionException;

class ClassListTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "207 | 207 | 207",
        "1,5-9 | 1,5,6,7,8,9 | 1,5-9",
        "' 3 , 0-1 ' | 3,0,1 | 3,0-1",
        "2,2,7-7 | 2,2,7 | 2,2,7",
        "0,1,2 | 0,1,2 | 0-2"
      })
  void numbersAndRangesInTheirOrder(String text, String labels, String shortest) {
    ClassList list = ClassList.parse(text);

    assertThat(list.labels()).map(Object::toString).containsExactly(labels.split(","));
    assertThat(list).hasToString(shortest).isEqualTo(ClassList.parse(shortest));
  }

  @Test
  void seedsTakeThemInTurnWhateverTheOtherSeedsAre() {
    ClassList list = ClassList.of(1, 5, 6);

    assertThat(LongStream.rangeClosed(-1, 4).mapToObj(seed -> list.of(seed, 10)))
        .containsExactly(6, 1, 5, 6, 1, 5);
    assertThat(list.of(3L << 40, 10)).isEqualTo(list.labels().get((int) ((3L << 40) % 3)));
  }

  @Test
  void allClassesAreTheListOfAll() {
    ClassList all = ClassList.parse("0-9");

    for (long seed : new long[] {-3, 0, 9, 10, 80_123}) {
      assertThat(ClassList.ALL.of(seed, 10)).isEqualTo(all.of(seed, 10));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'' | --class must be numbers and ranges such as 1,5-9, but found '' in ''",
        "1,,2 | found '' in '1,,2'",
        "cat | found 'cat' in 'cat'",
        "1.5 | found '1.5'",
        "-1 | --class must be at least 0, but is -1",
        "9-5 | --class 9-5: the start of a range must not exceed its end",
        "99999999999 | --class must be below 1048576, but is 99999999999",
        "0-1048575,0-1048575 | --class has more than 1048576 classes"
      })
  void whatIsNoListOfClassesIsNamed(String text, String message) {
    assertThatThrownBy(() -> ClassList.parse(text))
        .isInstanceOf(OptionException.class)
        .hasMessageContaining(message);
  }
}
