// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.FileException;

class LabelFileTest {
  private static final Path FILE = Path.of("set.zip/dataset.json");
  private static final List<String> PICTURES = List.of("a.png", "b/c.png");

  @Test
  void classesBecomeOneHotVectorsAsLongAsTheLargestClassWants() {
    ItemLabels labels =
        read("{'x': [1, {'labels': 3}], 'labels': [['b/c.png', 0], ['a.png', 2]], 'y': null}");
    assertThat(labels.dim()).isEqualTo(3);
    assertThat(labels.label(0)).containsExactly(0, 0, 1);
    assertThat(labels.label(1)).containsExactly(1, 0, 0);
  }

  @Test
  void vectorsStayAsTheyAre() {
    ItemLabels labels = read("{'labels': [['a.png', [0.5, -2]], ['b/c.png', [1e3, 0]]]}");
    assertThat(labels.dim()).isEqualTo(2);
    assertThat(labels.label(0)).containsExactly(0.5f, -2);
    assertThat(labels.label(1)).containsExactly(1000, 0);
  }

  @Test
  void longVectorsAreRead() {
    String ones = "1" + ", 1".repeat(99);
    ItemLabels labels =
        read("{'labels': [['a.png', [%s]], ['b/c.png', [%s]]]}".formatted(ones, ones));
    assertThat(labels.dim()).isEqualTo(100);
    assertThat(labels.label(1)).hasSize(100).containsOnly(1);
  }

  @Test
  void wholeNumbersWrittenAsFractionsAreClasses() {
    assertThat(read("{'labels': [['a.png', 1.0], ['b/c.png', 0]]}").dim()).isEqualTo(2);
  }

  @Test
  void labelsOfOtherPicturesAreIgnored() {
    String json = "{'labels': [['z.png', [[3], {}]], ['a.png', 0], ['b/c.png', 1], ['q', 99]]}";
    assertThat(read(json).dim()).isEqualTo(2);
  }

  @Test
  void noLabelsMayBeSaidInTwoWays() {
    assertThat(read("{'labels': null}").dim()).isZero();
    assertThat(read("{}").label(0)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          ``                                                | found the end
          []                                                | expected an object
          {'labels': 3}                                     | expected a list of labels
          {'labels': {'a.png': 0}}                          | expected a list of labels
          {'labels': [3]}                                   | expected a pair
          {'labels': [['a.png']]}                           | has a label for 'a.png' that is neither
          {'labels': [[1, 0]]}                              | expected the name of an image
          {'labels': [['a.png', 0, 1]]}                     | expected the end of the label of 'a.png'
          {'labels': [['a.png', 'cat']]}                    | neither a class from 0 to 65535
          {'labels': [['a.png', null]]}                     | neither a class
          {'labels': [['a.png', true]]}                     | neither a class
          {'labels': [['a.png', -1]]}                       | neither a class
          {'labels': [['a.png', 0.5]]}                      | neither a class
          {'labels': [['a.png', 99999999999999999999999]]}  | neither a class
          {'labels': [['a.png', 65536]]}                    | neither a class
          {'labels': [['a.png', 1e400]]}                    | neither a class
          {'labels': [['a.png', {}]]}                       | neither a class
          {'labels': [['a.png', [1, 'x']]]}                 | an element that is not a number: x
          {'labels': [['a.png', [[1]]]]}                    | an element that is not a number
          {'labels': [['a.png', [1e99]]]}                   | an element that is not a number: 1e99
          {'labels': [['a.png', []]]}                       | a label of 0 numbers for 'a.png'
          {'labels': [['a.png', [1]], ['b/c.png', [1, 2]]]} | labels of 1 numbers, but 'b/c.png' has 2
          {'labels': [['a.png', [1]], ['b/c.png', 1]]}      | classes and vectors
          {'labels': [['a.png', 0], ['a.png', 0]]}          | has two labels for 'a.png'
          {'labels': null, 'labels': []}                    | is not valid JSON at line 1
          {'labels': [['a.png', 0], ['b/c.png', 1]]} {}     | has data after its end
          {'labels': [['a.png', 0], ['b/c.png', 1]]         | is not valid JSON
          {'labels': [['a.png', 0], ['b/c.png',             | is not valid JSON
          {'labels': [['a.png', 0],                         | is not valid JSON
          {'labels': [['a.png', [0,                         | is not valid JSON
          {'labels'                                         | is not valid JSON
          {'x': [[[[                                        | is not valid JSON
          """)
  void anythingElseIsOneLineThatNamesTheFile(String json, String message) {
    assertThatThrownBy(() -> read(json))
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(FILE + ": ")
        .hasMessageContaining(message)
        .hasMessageMatching("[^\n]*");
  }

  @Test
  void depthAndForeignBytesAreRefused() {
    assertThatThrownBy(() -> read("{'x': " + "[".repeat(100_000)))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("not valid JSON");
    byte[] noise = {(byte) 0xff, (byte) 0xfe, 0, 1, 2, (byte) 0x80};
    assertThatThrownBy(() -> LabelFile.read(noise, FILE, PICTURES))
        .isInstanceOf(FileException.class)
        .hasMessageMatching("[^\n]*");
    assertThatThrownBy(() -> read("{'labels': [['a.png', 'x\\ny\\u001b']]}"))
        .hasMessageMatching("[^\n\u001b]*");
  }

  private static ItemLabels read(String json) {
    byte[] bytes = json.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    return LabelFile.read(bytes, FILE, PICTURES);
  }
}
