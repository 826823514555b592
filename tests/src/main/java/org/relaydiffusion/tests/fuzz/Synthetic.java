// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.fuzz;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;

/** Small images of every kind that Java can write. */
final class Synthetic {
  private static final int WIDTH = 24;
  private static final int HEIGHT = 20;

  private Synthetic() {}

  /** By name, which ends as files of the kind do. */
  static Map<String, byte[]> pictures() throws IOException {
    Map<String, byte[]> all = new TreeMap<>();
    Map<String, BufferedImage> images =
        Map.of(
            "rgb", image(BufferedImage.TYPE_INT_RGB),
            "grey", image(BufferedImage.TYPE_BYTE_GRAY),
            "grey16", image(BufferedImage.TYPE_USHORT_GRAY),
            "palette", image(BufferedImage.TYPE_BYTE_INDEXED),
            "bits", image(BufferedImage.TYPE_BYTE_BINARY));
    for (Map.Entry<String, BufferedImage> image : images.entrySet()) {
      for (String format : new String[] {"png", "jpeg", "bmp", "gif", "tiff"}) {
        write(image.getKey(), image.getValue(), format, all);
      }
    }
    return all;
  }

  private static BufferedImage image(int type) {
    BufferedImage image = new BufferedImage(WIDTH, HEIGHT, type);
    for (int y = 0; y < HEIGHT; y++) {
      for (int x = 0; x < WIDTH; x++) {
        image.setRGB(x, y, 0xff000000 | (x * 10) << 16 | (y * 12) << 8 | (x ^ y) * 8);
      }
    }
    return image;
  }

  /** As the format's plain kind, and packed in each way that its writer knows. */
  private static void write(
      String name, BufferedImage image, String format, Map<String, byte[]> all) throws IOException {
    ImageWriter writer = ImageIO.getImageWritersByFormatName(format).next();
    try {
      if (!writer.getOriginatingProvider().canEncodeImage(image)) {
        return;
      }
      ImageWriteParam param = writer.getDefaultWriteParam();
      String[] packings =
          param.canWriteCompressed() && param.getCompressionTypes() != null
              ? param.getCompressionTypes()
              : new String[] {""};
      for (String packing : packings) {
        for (boolean progressive : new boolean[] {false, true}) {
          write(name, image, format, packing, progressive, writer, all);
        }
      }
    } finally {
      writer.dispose();
    }
  }

  private static void write(
      String name,
      BufferedImage image,
      String format,
      String packing,
      boolean progressive,
      ImageWriter writer,
      Map<String, byte[]> all)
      throws IOException {
    ImageWriteParam param = writer.getDefaultWriteParam();
    if (progressive && !param.canWriteProgressive()) {
      return;
    }
    if (!packing.isEmpty()) {
      param.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
      param.setCompressionType(packing);
    }
    if (param.canWriteProgressive()) {
      param.setProgressiveMode(
          progressive ? ImageWriteParam.MODE_DEFAULT : ImageWriteParam.MODE_DISABLED);
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ImageOutputStream out = ImageIO.createImageOutputStream(bytes)) {
      writer.setOutput(out);
      writer.write(null, new IIOImage(image, null, null), param);
    } catch (IOException | RuntimeException e) {
      // Not every packing takes every kind of image.
      return;
    }
    String ending = format.equals("jpeg") ? "jpg" : format.equals("tiff") ? "tif" : format;
    all.put(
        "synthetic/%s-%s%s.%s"
            .formatted(name, packing.replaceAll("\\W", ""), progressive ? "-passes" : "", ending),
        bytes.toByteArray());
  }
}
