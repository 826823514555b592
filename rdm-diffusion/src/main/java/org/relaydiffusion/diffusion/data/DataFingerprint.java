// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * A fingerprint of a data set, by which a resumed run can determine whether it is the same. It is
 * independent of the location and the timestamps of the files.
 *
 * <p>Computing it is cheap: for a zip, the sizes and checksums of all images are read from the
 * directory; for a folder, the sizes of all files, and the content of 64 of them. In a folder, a
 * change of any other file that keeps its size is therefore not detected.
 *
 * @param images number of items, including mirrored ones
 * @param names a SHA-256 of the names of the images, in order
 * @param pictures a SHA-256 of the sizes and checksums of their files
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

  /** Returns a description of the difference from {@code before}; empty if there is none. */
  public String difference(DataFingerprint before) {
    if (equals(before)) {
      return "";
    }
    return images != before.images
        ? "%s images instead of %s".formatted(images, before.images)
        : !names.equals(before.names)
            ? "other file names"
            : !pictures.equals(before.pictures) ? "other images" : "other labels";
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is not available", e);
    }
  }

  private static String hex(MessageDigest digest) {
    return HexFormat.of().formatHex(digest.digest());
  }
}
