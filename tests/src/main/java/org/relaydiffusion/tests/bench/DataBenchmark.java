// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.IntConsumer;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.relaydiffusion.diffusion.data.DataLoader;
import org.relaydiffusion.diffusion.data.DatasetOptions;
import org.relaydiffusion.diffusion.data.ImageFolderDataset;
import org.relaydiffusion.diffusion.image.Compression;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.image.PngWriter;
import org.relaydiffusion.diffusion.random.InfiniteSampler;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.Settings;
import org.relaydiffusion.torch.Device;

/**
 * The decoding rate of training data: the JDK's PNG decoder and this project's on one thread, then
 * the loader with 1 and 2 workers, decoding and from the cache. The images are smooth waves with
 * noise, which compress about as well as photographs; uncompressed ones are written by the data set
 * tool.
 *
 * <p>Arguments: {@code [seconds]} for each figure; default 4.
 */
public final class DataBenchmark {
  private static final int BATCH = 32;

  /** The first ones are warm-up; the best one is the least disturbed by other processes. */
  private static final int STRETCHES = 8;

  private DataBenchmark() {}

  /** Runs the benchmark. */
  public static void main(String[] args) throws IOException {
    LibTorch.configure(Settings.APPLICATION);
    double seconds = args.length > 0 ? Double.parseDouble(args[0]) : 4;
    System.out.printf(
        "%-5s %-7s %11s %9s %9s %9s %9s %9s %9s%n",
        "side",
        "packing",
        "bytes/image",
        "ImageIO",
        "own",
        "1 worker",
        "2 workers",
        "1 cached",
        "2 cached");
    for (int side : List.of(64, 256)) {
      for (Compression packing : List.of(Compression.STORED, Compression.FAST)) {
        run(side, packing, seconds);
      }
    }
  }

  private static void run(int side, Compression packing, double seconds) throws IOException {
    List<byte[]> pictures = new ArrayList<>();
    long bytes = 0;
    for (int i = 0; i < 128; i++) {
      pictures.add(PngWriter.encode(picture(side, i), packing));
      bytes += pictures.getLast().length;
    }
    Path zip = Files.createTempFile("rdm-data-", ".zip");
    try {
      write(zip, pictures);
      System.out.printf(
          Locale.ROOT,
          "%-5d %-7s %11d %9.0f %9.0f %9.0f %9.0f %9.0f %9.0f%n",
          side,
          packing.name().toLowerCase(Locale.ROOT),
          bytes / pictures.size(),
          rate(seconds, 1, i -> imageIo(pictures.get(i % pictures.size()))),
          rate(seconds, 1, i -> PictureReader.decode(pictures.get(i % pictures.size()), zip)),
          loader(zip, 1, DatasetOptions.DEFAULT, seconds),
          loader(zip, 2, DatasetOptions.DEFAULT, seconds),
          loader(zip, 1, DatasetOptions.DEFAULT.withCache(), seconds),
          loader(zip, 2, DatasetOptions.DEFAULT.withCache(), seconds));
    } finally {
      Files.deleteIfExists(zip);
    }
  }

  private static double loader(Path zip, int workers, DatasetOptions options, double seconds) {
    try (ImageFolderDataset data = ImageFolderDataset.open(zip, options);
        DataLoader loader =
            new DataLoader(
                data,
                InfiniteSampler.shuffled(data.size(), 0, 1, 0, InfiniteSampler.DEFAULT_WINDOW),
                BATCH,
                workers,
                Device.CPU)) {
      return rate(seconds, BATCH, _ -> loader.next().close());
    }
  }

  private static void imageIo(byte[] bytes) {
    // Otherwise, ImageIO would use a temporary file.
    try (var in = new MemoryCacheImageInputStream(new ByteArrayInputStream(bytes))) {
      ImageReader reader = ImageIO.getImageReadersByFormatName("png").next();
      reader.setInput(in, true, true);
      reader.read(0);
      reader.dispose();
    } catch (IOException e) {
      throw new IllegalStateException("the images are whole", e);
    }
  }

  /** Returns the rate of a call that produces several images: the best of several measurements. */
  private static double rate(double seconds, int images, IntConsumer call) {
    double best = 0;
    int calls = 0;
    for (int stretch = 0; stretch < STRETCHES; stretch++) {
      int before = calls;
      long start = System.nanoTime();
      while (System.nanoTime() - start < seconds / STRETCHES * 1e9) {
        call.accept(calls++);
      }
      best = Math.max(best, (calls - before) * images / ((System.nanoTime() - start) / 1e9));
    }
    return best;
  }

  /** Waves with noise, different ones for each seed. */
  static Pixels picture(int side, int seed) {
    Random random = new Random(seed);
    Pixels pixels = Pixels.black(side, side, 3);
    double phase = random.nextDouble() * 6;
    for (int i = 0; i < pixels.data().length; i++) {
      double x = i / 3 % side / (double) side;
      int row = i / 3 / side;
      double y = row / (double) side;
      double wave = Math.sin(7 * x + phase + i % 3) + Math.sin(9 * y * x - phase);
      pixels.data()[i] = (byte) Math.clamp(128 + 50 * wave + 4 * random.nextGaussian(), 0, 255);
    }
    return pixels;
  }

  private static void write(Path file, List<byte[]> pictures) throws IOException {
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
      zip.setMethod(ZipOutputStream.STORED);
      for (int i = 0; i < pictures.size(); i++) {
        ZipEntry entry = new ZipEntry(String.format(Locale.ROOT, "00000/img%08d.png", i));
        CRC32 crc = new CRC32();
        crc.update(pictures.get(i));
        entry.setCrc(crc.getValue());
        entry.setSize(pictures.get(i).length);
        zip.putNextEntry(entry);
        zip.write(pictures.get(i));
      }
    }
  }
}
