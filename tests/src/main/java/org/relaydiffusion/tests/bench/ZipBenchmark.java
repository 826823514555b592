// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.awt.image.BufferedImage;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.relaydiffusion.diffusion.image.Compression;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.image.PngWriter;

/**
 * A zip with as many images as ImageNet, including its irregularities, with small images: in a
 * thousand folders for the classes there are JPEGs of 16 x 16 pixels, of which 22 are CMYK and 3
 * are damaged, and a PNG with the extension of a JPEG. It is read by {@code rdm dataset} and {@code
 * rdm train}, each in a separate process, whose time and peak memory are printed with its output.
 *
 * <p>Arguments: {@code [images]}; default 1,280,000, for which the zip takes 1 GB and the output
 * 1.4 GB.
 */
public final class ZipBenchmark {
  private static final int SIDE = 16;
  private static final int DIFFERENT = 512;
  private static final int CLASSES = 1000;
  private static final int CMYK = 22;
  private static final int DAMAGED = 3;

  private ZipBenchmark() {}

  /** Runs the benchmark. */
  public static void main(String[] args) throws IOException, InterruptedException {
    int count = args.length > 0 ? Integer.parseInt(args[0]) : 1_280_000;
    Path folder = Files.createTempDirectory("rdm-zip-");
    try {
      Path source = folder.resolve("imagenet.zip");
      write(source, count);
      System.out.printf(Locale.ROOT, "%s images, %.2f GB%n", count, Files.size(source) / 1e9);
      Path set = folder.resolve("set.zip");
      String data = "--data=";
      run("dataset", "--source=" + source, "--dest=" + set, "--bad-images=skip");
      train(folder, data + set, "--cond=1");
      train(folder, data + source, "--bad-images=skip");
    } finally {
      TemporaryFolder.delete(folder);
    }
  }

  private static void train(Path folder, String... options)
      throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(List.of("train", "--outdir=" + folder.resolve("runs")));
    all.addAll(List.of(options));
    all.addAll(
        List.of(
            "--arch=ddpmpp",
            "--cbase=8",
            "--cres=1",
            "--num-blocks=1",
            "--batch=16",
            "--duration=0.000064",
            "--tick=1",
            "--sample-ticks=0",
            "--cache=0"));
    run(all.toArray(String[]::new));
  }

  /** Runs a command with the options for the JVM of the script {@code rdm}. */
  private static void run(String... command) throws IOException, InterruptedException {
    List<String> line =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-Xms32m",
                "-cp",
                System.getProperty("java.class.path"),
                "org.relaydiffusion.launch.Rdm"));
    line.addAll(List.of(command));
    System.out.println("\nrdm " + String.join(" ", command));
    long start = System.nanoTime();
    Process process = new ProcessBuilder(line).inheritIO().start();
    long peak = 0;
    while (process.isAlive()) {
      Thread.sleep(100);
      peak = Math.max(peak, peak(process.pid()));
    }
    System.out.printf(
        Locale.ROOT,
        "exit code %s, %.1f s, peak of memory %.2f GB%n",
        process.exitValue(),
        (System.nanoTime() - start) / 1e9,
        peak / 1e9);
  }

  private static long peak(long process) {
    try {
      return Files.readAllLines(Path.of("/proc", Long.toString(process), "status")).stream()
          .filter(line -> line.startsWith("VmHWM:"))
          .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D+", "")))
          .findFirst()
          .orElse(0);
    } catch (IOException e) {
      // It has ended since.
      return 0;
    }
  }

  private static void write(Path file, int count) throws IOException {
    Random random = new Random(1);
    List<byte[]> pictures = new ArrayList<>();
    for (int i = 0; i < DIFFERENT; i++) {
      pictures.add(jpeg(random));
    }
    byte[] cmyk = cmyk(random);
    byte[] png = png(random);
    try (ZipOutputStream zip =
        new ZipOutputStream(new BufferedOutputStream(Files.newOutputStream(file), 1 << 20))) {
      zip.setMethod(ZipOutputStream.STORED);
      for (int i = 0; i < count; i++) {
        byte[] picture = pictures.get(i % DIFFERENT);
        // Spread over the set, and none of them the first.
        int odd = count / (CMYK + DAMAGED + 2);
        int which = i > 0 && i % odd == 0 ? i / odd : 0;
        if (which > CMYK + DAMAGED + 1) {
          which = 0;
        }
        if (which == CMYK + DAMAGED + 1) {
          picture = png;
        } else if (which > CMYK) {
          picture = Arrays.copyOf(picture, picture.length / (which - CMYK + 1));
        } else if (which > 0) {
          picture = cmyk;
        }
        int label = (int) ((long) i * CLASSES / count);
        add(zip, String.format(Locale.ROOT, "n%08d/n%08d_%d.JPEG", label, label, i), picture);
      }
    }
  }

  private static void add(ZipOutputStream zip, String name, byte[] bytes) throws IOException {
    ZipEntry entry = new ZipEntry(name);
    CRC32 crc = new CRC32();
    crc.update(bytes);
    entry.setCrc(crc.getValue());
    entry.setSize(bytes.length);
    zip.putNextEntry(entry);
    zip.write(bytes);
  }

  private static byte[] jpeg(Random random) throws IOException {
    BufferedImage image = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < SIDE * SIDE; i++) {
      image.setRGB(i % SIDE, i / SIDE, random.nextInt());
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ImageIO.write(image, "jpeg", out);
    return out.toByteArray();
  }

  /** Four components without a marker that identifies them: CMYK. */
  private static byte[] cmyk(Random random) throws IOException {
    WritableRaster raster = Raster.createInterleavedRaster(0, SIDE, SIDE, 4, null);
    for (int i = 0; i < SIDE * SIDE; i++) {
      int[] pixel = random.ints(4, 0, 256).toArray();
      raster.setPixel(i % SIDE, i / SIDE, pixel);
    }
    ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (MemoryCacheImageOutputStream stream = new MemoryCacheImageOutputStream(out)) {
      writer.setOutput(stream);
      writer.write(null, new IIOImage(raster, null, null), null);
    } finally {
      writer.dispose();
    }
    return out.toByteArray();
  }

  private static byte[] png(Random random) {
    Pixels pixels = Pixels.black(SIDE, SIDE, 3);
    random.nextBytes(pixels.data());
    return PngWriter.encode(pixels, Compression.FAST);
  }
}
