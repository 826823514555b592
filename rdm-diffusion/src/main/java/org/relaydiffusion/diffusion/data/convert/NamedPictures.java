package org.relaydiffusion.diffusion.data.convert;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.relaydiffusion.FileException;

/**
 * The pictures among the files of a folder or archive, in order, with their labels: from
 * dataset.json where there is one, else the number of the top folder, if there are several.
 */
final class NamedPictures {
  private final List<String> names;
  private final Map<String, Integer> labels;

  private NamedPictures(List<String> names, Map<String, Integer> labels) {
    this.names = names;
    this.labels = labels;
  }

  /** Gives the content of a file. */
  @FunctionalInterface
  interface Content {
    /** The bytes of the file of that name. */
    byte[] of(String name);
  }

  /**
   * Sorts and labels.
   *
   * @param source for messages
   * @param files all names in the source, with slashes
   * @param order of the pictures
   * @param content reads dataset.json
   * @throws FileException when no picture is among them, or dataset.json is broken
   */
  static NamedPictures of(
      Path source, Collection<String> files, Comparator<String> order, Content content) {
    List<String> names =
        files.stream().filter(PictureNames::isPicture).sorted(order).collect(Collectors.toList());
    if (names.isEmpty()) {
      throw new FileException(source, "has no pictures among its %s files".formatted(files.size()));
    }
    if (!files.contains(LabelFile.NAME)) {
      return new NamedPictures(names, byTopFolder(names));
    }
    Optional<Map<String, Integer>> given =
        LabelFile.read(content.of(LabelFile.NAME), source.resolve(LabelFile.NAME));
    return new NamedPictures(names, given.orElse(Map.of()));
  }

  private static Map<String, Integer> byTopFolder(List<String> names) {
    TreeSet<String> folders = new TreeSet<>(PictureNames::compareText);
    names.forEach(name -> folders.add(PictureNames.topFolder(name)));
    if (folders.size() < 2) {
      return Map.of();
    }
    List<String> order = new ArrayList<>(folders);
    Map<String, Integer> number = new HashMap<>();
    for (int i = 0; i < order.size(); i++) {
      number.put(order.get(i), i);
    }
    Map<String, Integer> labels = new HashMap<>();
    names.forEach(name -> labels.put(name, number.get(PictureNames.topFolder(name))));
    return labels;
  }

  int size() {
    return names.size();
  }

  String name(int index) {
    return names.get(index);
  }

  OptionalInt label(int index) {
    Integer label = labels.get(names.get(index));
    return label == null ? OptionalInt.empty() : OptionalInt.of(label);
  }
}
