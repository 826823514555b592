// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriter;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.ImageOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

class PngTextTest {
  private static final Path NAME = Path.of("a.png");
  private static final String FORMAT = "javax_imageio_png_1.0";
  private static final Pixels PICTURE = Pictures.smooth(12, 10, 3);

  @TempDir Path folder;

  /** Texts of either kind, and what is special in them. */
  private static SequencedMap<String, String> texts() {
    SequencedMap<String, String> texts = new LinkedHashMap<>();
    texts.put("Software", "rdm 1.0");
    texts.put("Comment", "caf\u00e9 \u00ff\ntwo lines");
    texts.put("parameters", "\u6f22\u5b57, \ud83d\ude00 and \u20ac");
    texts.put("Empty", "");
    texts.put("Any other name", "last");
    return texts;
  }

  private static byte[] png(PngText text) {
    return PngWriter.encode(PICTURE, Compression.FAST, text);
  }

  @Test
  void textsComeBackInTheirOrderFromAFile() {
    PngText text = PngText.of(texts());
    Path file = folder.resolve("a/b.png");
    PngWriter.write(PICTURE, Compression.FAST, text, file);
    PngText found = PngText.read(file);
    assertThat(found).isEqualTo(text);
    assertThat(found.entries())
        .extracting(PngTextEntry::keyword)
        .containsExactlyElementsOf(texts().keySet());
    assertThat(found.get("Comment")).hasValue("caf\u00e9 \u00ff\ntwo lines");
    assertThat(found.get("comment")).isEmpty();
    assertThat(PictureReader.read(file)).isEqualTo(PICTURE);
  }

  @Test
  void aFileWithoutTextIsTheSameAsBefore() {
    byte[] plain = PngWriter.encode(PICTURE, Compression.FAST);
    assertThat(png(PngText.NONE)).isEqualTo(plain);
    assertThat(PngText.decode(plain, NAME)).isEqualTo(PngText.NONE);
    byte[] withText = png(PngText.of(texts()));
    assertThat(PngChunks.without(PngChunks.without(withText, "tEXt"), "iTXt")).isEqualTo(plain);
    assertThat(withText.length).isGreaterThan(plain.length);
  }

  @Test
  void theKindOfChunkDependsOnTheText() throws IOException {
    Map<String, String> latin1 = new TreeMap<>(texts());
    String unicode = latin1.remove("parameters");
    IIOMetadataNode found = metadata(png(PngText.of(texts())));
    assertThat(values(found, "tEXtEntry", "value")).isEqualTo(latin1);
    assertThat(values(found, "iTXtEntry", "text")).isEqualTo(Map.of("parameters", unicode));
  }

  @Test
  void theJdksTextsAreRead() throws IOException {
    IIOMetadataNode root = new IIOMetadataNode(FORMAT);
    IIOMetadataNode latin1 = new IIOMetadataNode("tEXt");
    latin1.appendChild(entry("tEXtEntry", Map.of("keyword", "Title", "value", "caf\u00e9")));
    root.appendChild(latin1);
    IIOMetadataNode compressed = new IIOMetadataNode("zTXt");
    String repeated = "caf\u00e9 ".repeat(1000);
    compressed.appendChild(
        entry(
            "zTXtEntry",
            Map.of("keyword", "Long", "compressionMethod", "deflate", "text", repeated)));
    root.appendChild(compressed);
    IIOMetadataNode international = new IIOMetadataNode("iTXt");
    international.appendChild(international("Plain", "FALSE", "\u6f22\u5b57"));
    international.appendChild(international("Packed", "TRUE", "\ud83d\ude00 ".repeat(500)));
    root.appendChild(international);
    PngText found = PngText.decode(writtenByTheJdk(root), NAME);
    assertThat(found.entries())
        .containsExactlyInAnyOrder(
            new PngTextEntry("Title", "caf\u00e9"),
            new PngTextEntry("Long", repeated),
            new PngTextEntry("Plain", "\u6f22\u5b57"),
            new PngTextEntry("Packed", "\ud83d\ude00 ".repeat(500)));
  }

  @Test
  void aKeywordMayOccurAgainAndTextMayFollowThePixels() {
    PngText twice =
        new PngText(List.of(new PngTextEntry("Author", "a"), new PngTextEntry("Author", "b")));
    assertThat(PngText.decode(png(twice), NAME)).isEqualTo(twice);
    assertThat(twice.get("Author")).hasValue("a");
    byte[] plain = png(PngText.NONE);
    ByteArrayOutputStream after = new ByteArrayOutputStream();
    after.write(plain, 0, plain.length - 12);
    PngChunks.append(after, "tEXt", new byte[] {'k', 0, 'v'});
    after.write(plain, plain.length - 12, 12);
    assertThat(PngText.decode(after.toByteArray(), NAME).get("k")).hasValue("v");
  }

  @Test
  void keywordsThatPngDoesNotAllowAreRefused() {
    for (String keyword :
        List.of(
            "",
            " leading",
            "trailing ",
            "two  spaces",
            "new\nline",
            "tab\t",
            "nul\0",
            "\u00a0",
            "\u0085",
            "\u6f22")) {
      assertThatThrownBy(() -> new PngTextEntry(keyword, "text"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("a PNG keyword has ")
          .hasMessageMatching("[^\n]*");
    }
  }

  @Test
  void keywordsHaveAtMost79Characters() {
    assertThat(png(new PngText(List.of(new PngTextEntry("k".repeat(79), "v")))))
        .satisfies(png -> assertThat(PngText.decode(png, NAME).get("k".repeat(79))).hasValue("v"));
    assertThatThrownBy(() -> new PngTextEntry("k".repeat(80), "v"))
        .hasMessage("a PNG keyword has 1 to 79 characters, but found 80");
  }

  @Test
  void textsThatCannotBeStoredAreRefused() {
    for (String text : List.of("a\0b", "\ud800", "x\udc00", "\ud800 \udc00")) {
      assertThatThrownBy(() -> new PngTextEntry("Key", text))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("the PNG text 'Key' contains NUL or an unpaired surrogate");
    }
  }

  @Test
  void whatIsWrittenIsWithinWhatIsRead() {
    String most = "x".repeat(PngTextEntry.MOST_BYTES);
    String wide = "\u20ac".repeat(PngTextEntry.MOST_BYTES / 3);
    PngText text =
        new PngText(List.of(new PngTextEntry("Latin", most), new PngTextEntry("Unicode", wide)));
    assertThat(PngText.decode(png(text), NAME)).isEqualTo(text);
    assertThatThrownBy(() -> new PngTextEntry("Latin", most + "x"))
        .hasMessage("the PNG text 'Latin' has 1048577 bytes, but the maximum is 1048576");
    assertThatThrownBy(() -> new PngTextEntry("Unicode", wide + "\u20ac"))
        .hasMessageContaining("has 1048578 bytes");
    PngTextEntry entry = new PngTextEntry("Latin", most);
    assertThatThrownBy(
            () -> new PngText(List.of(entry, entry, entry, entry, new PngTextEntry("k", "v"))))
        .hasMessage("the texts of a PNG have at most 4194304 bytes, but found 4194305");
    List<PngTextEntry> many =
        IntStream.range(0, 1025).mapToObj(i -> new PngTextEntry("k" + i, "")).toList();
    assertThatThrownBy(() -> new PngText(many))
        .hasMessage("a PNG has at most 1024 text entries, but found 1025");
    PngText allowed = new PngText(many.subList(0, 1024));
    assertThat(PngText.decode(png(allowed), NAME)).isEqualTo(allowed);
  }

  private static IIOMetadataNode metadata(byte[] png) throws IOException {
    ImageReader reader = ImageIO.getImageReadersByFormatName("png").next();
    try (ImageInputStream in = ImageIO.createImageInputStream(new ByteArrayInputStream(png))) {
      reader.setInput(in);
      return (IIOMetadataNode) reader.getImageMetadata(0).getAsTree(FORMAT);
    } finally {
      reader.dispose();
    }
  }

  private static Map<String, String> values(IIOMetadataNode root, String name, String value) {
    Map<String, String> found = new TreeMap<>();
    NodeList nodes = root.getElementsByTagName(name);
    for (int i = 0; i < nodes.getLength(); i++) {
      Element node = (Element) nodes.item(i);
      found.put(node.getAttribute("keyword"), node.getAttribute(value));
    }
    return found;
  }

  private static IIOMetadataNode entry(String name, Map<String, String> attributes) {
    IIOMetadataNode node = new IIOMetadataNode(name);
    attributes.forEach(node::setAttribute);
    return node;
  }

  private static IIOMetadataNode international(String keyword, String compressed, String text) {
    return entry(
        "iTXtEntry",
        Map.of(
            "keyword",
            keyword,
            "compressionFlag",
            compressed,
            "compressionMethod",
            "0",
            "languageTag",
            "en",
            "translatedKeyword",
            "\u00fcbersetzt",
            "text",
            text));
  }

  private static byte[] writtenByTheJdk(IIOMetadataNode texts) throws IOException {
    var image = ImageIO.read(new ByteArrayInputStream(png(PngText.NONE)));
    ImageWriter writer = ImageIO.getImageWritersByFormatName("png").next();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ImageOutputStream out = ImageIO.createImageOutputStream(bytes)) {
      IIOMetadata metadata = writer.getDefaultImageMetadata(new ImageTypeSpecifier(image), null);
      metadata.mergeTree(FORMAT, texts);
      writer.setOutput(out);
      writer.write(new IIOImage(image, null, metadata));
    } finally {
      writer.dispose();
    }
    return bytes.toByteArray();
  }
}
