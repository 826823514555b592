// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.extraction;

import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.metrics.Provenance;
import org.relaydiffusion.metrics.extraction.ExtractionOptions.Content;
import org.relaydiffusion.metrics.extraction.ExtractionOptions.Leftovers;
import org.relaydiffusion.metrics.inception.FeatureExtractor;
import org.relaydiffusion.nativeconfig.NativeMemory;
import org.relaydiffusion.torch.DeviceGuard;

/**
 * Extracts the features of a data set's images to a file, in the order of the data set.
 *
 * <p>The set is split into chunks; each process writes the parts of its own chunks to a hidden
 * folder beside the target, and the first process joins them. Memory therefore does not grow with
 * the number of images, and a run that was stopped or killed at any time can be resumed, by any
 * number of processes: existing parts are used if they were computed from the same images by the
 * same network. With equal batch sizes, files are identical for any number of processes.
 */
public final class ActivationsExtraction {
  private static final double NANOS = 1e9;

  private final ExtractionOptions options;
  private final PartFormat format;

  /** Creates an extraction without starting it. */
  public ActivationsExtraction(ExtractionOptions options) {
    this(options, options.content() == Content.MOMENTS ? MomentParts.DEFAULT : RowParts.DEFAULT);
  }

  ActivationsExtraction(ExtractionOptions options, PartFormat format) {
    this.options = options;
    this.format = format;
  }

  /**
   * Extracts the features; called by every process of the run. On CUDA, TensorFloat-32 is then
   * allowed or forbidden in this process as the options say.
   *
   * @param extractor computes the features; called on this thread only, and remains owned by the
   *     caller
   * @param listener receives the progress
   * @param cancellation ends the work between two batches; saved parts are kept for the next run
   * @return the result of this process
   * @throws FileException naming the image that cannot be read or differs from the first one in
   *     size, the part that is damaged, or the target if it cannot be written, which then does not
   *     exist
   * @throws RdmException if the parts of other processes do not arrive before the timeout, or
   *     TensorFloat-32 is forbidden and this LibTorch cannot switch it off
   * @throws org.relaydiffusion.CancelledException if it was cancelled
   */
  public ExtractionResult run(
      FeatureExtractor extractor, ExtractionListener listener, Cancellation cancellation) {
    long began = System.nanoTime();
    FeaturePrecision.choose(options.device(), options.network().tf32());
    try (DeviceGuard _ = DeviceGuard.on(options.device());
        ImageSet set = ImageSet.open(options)) {
      int images = set.size();
      if (options.content() == Content.MOMENTS && images < 2) {
        throw new FileException(
            options.data(), "has 1 image, but a covariance requires at least 2");
      }
      Chunks chunks = new Chunks(images, format.chunkSize(images));
      PartsFolder folder =
          new PartsFolder(options.target(), Manifest.of(options, set, chunks, format));
      if (options.leftovers() == Leftovers.DISCARD) {
        folder.discard();
      }
      folder.check();
      BitSet there = folder.present(chunks);
      long reused = there.stream().mapToLong(chunks::length).sum();
      int[] missing = chunks.sharedBy(options.share()).filter(c -> !there.get(c)).toArray();
      long extracted = extract(set, chunks, missing, folder, extractor, listener, cancellation);
      if (!options.share().isFirst()) {
        double seconds = secondsSince(began);
        return new ExtractionResult(
            extracted, reused, seconds, rate(extracted, seconds), Optional.empty());
      }
      await(folder, chunks, listener, cancellation);
      double seconds = secondsSince(began);
      ExtractionResult.Written written = join(folder, set, chunks, listener, cancellation);
      return new ExtractionResult(
          extracted, reused, seconds, rate(images - reused, seconds), Optional.of(written));
    }
  }

  private long extract(
      ImageSet set,
      Chunks chunks,
      int[] missing,
      PartsFolder folder,
      FeatureExtractor extractor,
      ExtractionListener listener,
      Cancellation cancellation) {
    long total = IntStream.of(missing).mapToLong(chunks::length).sum();
    if (total == 0) {
      return 0;
    }
    long done = 0;
    listener.extracted(done, total);
    try (ImageSet.Reading reading =
        set.read(
            new ChunkBatches(chunks, missing, options.batch()),
            options.workers(),
            options.device())) {
      FeatureBatches features = new FeatureBatches(set, reading, extractor);
      for (int chunk : missing) {
        try (PartFormat.Collector part = format.begin()) {
          for (int left = chunks.length(chunk); left > 0; ) {
            cancellation.check();
            int batch = features.addNext(part);
            left -= batch;
            done += batch;
            listener.extracted(done, total);
          }
          folder.prepare();
          part.write(folder.part(chunk));
        }
        // The memory of a part has been freed, but its blocks would not all be reused: the memory
        // held by the allocator would grow with every part.
        NativeMemory.trim();
        listener.saved(done);
      }
    }
    return done;
  }

  /** Waits for the parts of the other processes; those of this one exist. */
  private void await(
      PartsFolder folder, Chunks chunks, ExtractionListener listener, Cancellation cancellation) {
    Duration patience = options.share().patience();
    long lastCame = System.nanoTime();
    int before = 0;
    while (true) {
      BitSet there = folder.present(chunks);
      int count = there.cardinality();
      if (count == chunks.count()) {
        return;
      }
      cancellation.check();
      if (chunks.sharedBy(options.share()).anyMatch(c -> !there.get(c))) {
        throw new FileException(
            options.target(),
            "parts written by this process have been deleted: is another run writing the same"
                + " file?");
      }
      listener.waiting(count, chunks.count());
      long now = System.nanoTime();
      if (count > before) {
        before = count;
        lastCame = now;
      } else if (now - lastCame > patience.toNanos()) {
        throw new FileException(
            options.target(),
            ("%s of %s parts are missing, of process%s, and none arrived within %s s: to resume,"
                    + " run the same"
                    + " command again")
                .formatted(
                    chunks.count() - count,
                    chunks.count(),
                    missingRanks(there, chunks),
                    patience.toSeconds()));
      }
      pause();
    }
  }

  private String missingRanks(BitSet there, Chunks chunks) {
    List<String> ranks =
        IntStream.range(0, chunks.count())
            .filter(c -> !there.get(c))
            .map(c -> c % options.share().processes())
            .distinct()
            .sorted()
            .mapToObj(Integer::toString)
            .toList();
    return (ranks.size() == 1 ? " " : "es ") + String.join(", ", ranks);
  }

  private static void pause() {
    try {
      Thread.sleep(100);
    } catch (InterruptedException e) {
      throw CancelledException.interrupted("waiting for the other processes", e);
    }
  }

  private ExtractionResult.Written join(
      PartsFolder folder,
      ImageSet set,
      Chunks chunks,
      ExtractionListener listener,
      Cancellation cancellation) {
    ExtractionOptions.Network network = options.network();
    String comment =
        set.size() < set.all()
            ? Provenance.comment(
                network.sha256(),
                network.numerics(),
                new Provenance.Drawn(set.size(), set.all(), options.subsetSeed()))
            : Provenance.comment(network.sha256(), network.numerics());
    String complete = options.usesTf32() ? comment + " tf32=on" : comment;
    return folder.join(file ->
        format.join(
            file,
            IntStream.range(0, chunks.count()).mapToObj(folder::part).toList(),
            chunks,
            complete,
            (done, total) -> {
              cancellation.check();
              listener.joined(done, total);
            }));
  }

  private static double secondsSince(long began) {
    return (System.nanoTime() - began) / NANOS;
  }

  private static double rate(long images, double seconds) {
    return images == 0 ? 0 : images / seconds;
  }
}
