package org.relaydiffusion.diffusion.data;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * What a data set is, so that a run that is resumed can tell whether it is the same one. It does
 * not depend on where the files lie or when they were copied.
 *
 * <p>It costs little beside opening the set: of a zip it takes every picture's size and checksum
 * from the directory; of a folder it takes the sizes of all files, and reads 64 of them. There, a
 * change of another file that leaves its size the same is not seen.
 *
 * @param images how many items there are, mirrored ones included
 * @param names a SHA-256 of the pictures' names, in order
 * @param pictures a SHA-256 of their files' sizes and checksums
 * @param labels a SHA-256 of their labels
 */
public record DataFingerprint(long images, String names, String pictures, String labels) {
  static DataFingerprint of(int items, PictureSource source, ItemLabels labels) {
    List<String> all = source.pictures();
    MessageDigest names = sha256();
    MessageDigest pictures = sha256();
    for (int i = 0; i < all.size(); i++) {
      names.update((all.get(i) + "\n").getBytes(StandardCharsets.UTF_8));
      pictures.update((source.content(i) + "\n").getBytes(StandardCharsets.UTF_8));
    }
    MessageDigest classes = sha256();
    labels.addTo(classes);
    return new DataFingerprint(items, hex(names), hex(pictures), hex(classes));
  }

  /** In what this data differs from {@code before}; empty when it does not. */
  public String difference(DataFingerprint before) {
    if (equals(before)) {
      return "";
    }
    return images != before.images
        ? "%s images instead of %s".formatted(images, before.images)
        : !names.equals(before.names)
            ? "other file names"
            : !pictures.equals(before.pictures) ? "other pictures" : "other labels";
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  private static String hex(MessageDigest digest) {
    return HexFormat.of().formatHex(digest.digest());
  }
}
