// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The project's pages: each section stands once, and a link leads to a file and a section. */
class DocumentLinksTest {
  private static final Path PROJECT = Path.of("..").toAbsolutePath().normalize();
  private static final Pattern LINK = Pattern.compile("]\\(([^)\\s#]*)(?:#([^)\\s]+))?\\)");
  private static final Pattern HEADING = Pattern.compile("#+ (.*)");

  private static List<Path> pages() throws IOException {
    List<Path> pages = new ArrayList<>();
    for (String folder : List.of("", "docs", "deploy")) {
      try (Stream<Path> files = Files.list(PROJECT.resolve(folder))) {
        files.filter(f -> f.toString().endsWith(".md")).forEach(pages::add);
      }
    }
    return pages;
  }

  /** The names that links have for a page's sections, in their order. */
  private static List<String> sections(Path page) throws IOException {
    List<String> names = new ArrayList<>();
    boolean isCode = false;
    for (String line : Files.readAllLines(page)) {
      Matcher heading = HEADING.matcher(line);
      if (line.startsWith("```")) {
        isCode = !isCode;
      } else if (!isCode && heading.matches()) {
        String text = heading.group(1).strip().toLowerCase(Locale.ROOT);
        names.add(text.replaceAll("[^\\w\\- ]", "").replace(' ', '-'));
      }
    }
    return names;
  }

  @Test
  void everySectionStandsOnce() throws IOException {
    for (Path page : pages()) {
      assertThat(sections(page)).as(page.toString()).doesNotHaveDuplicates();
    }
  }

  @Test
  void everyLinkLeadsSomewhere() throws IOException {
    int links = 0;
    for (Path page : pages()) {
      Matcher link = LINK.matcher(Files.readString(page));
      while (link.find()) {
        String path = link.group(1);
        if (path.startsWith("http")) {
          continue;
        }
        Path to = path.isEmpty() ? page : page.resolveSibling(path).normalize();
        String what = PROJECT.relativize(page) + ": " + link.group();
        assertThat(to).as(what).exists();
        String section = link.group(2);
        if (section != null) {
          assertThat(new HashSet<>(sections(to))).as(what).contains(section);
        }
        links++;
      }
    }
    assertThat(links).isGreaterThan(50);
  }
}
