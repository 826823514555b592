// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.relaydiffusion.FileException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.diffusion.ComputeType;
import org.relaydiffusion.diffusion.Noise;
import org.relaydiffusion.diffusion.Preset;
import org.relaydiffusion.diffusion.StageNames;
import org.relaydiffusion.diffusion.StageOptionTable;
import org.relaydiffusion.diffusion.StageOptions;
import org.relaydiffusion.diffusion.StageRange;
import org.relaydiffusion.diffusion.image.Enhancement;
import org.relaydiffusion.diffusion.image.PngText;
import org.relaydiffusion.model.JsonFields;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.LaunchGrid;

/**
 * How an image was sampled, read from its file, which is untrusted: see {@link PictureText}.
 *
 * @param file the image
 * @param seed its seed
 * @param label its class; empty if no network was conditional
 * @param place its place in its batch
 * @param range the stages that ran
 * @param stages the options of every stage that a pipeline can have
 * @param enhancement the post-processing
 * @param device the device of the networks
 * @param dtype the dtype of the computation
 * @param numerics exact or fast
 * @param noise where its random numbers came from
 * @param noiseGrid the launch grid of the GPU that drew them, if they depend on it
 * @param tf32 whether TensorFloat-32 was allowed or forbidden; empty if neither
 * @param networks by the names of their options, such as {@code network_first}
 */
record PictureOrigin(
    Path file,
    long seed,
    OptionalInt label,
    BatchPlace place,
    StageRange range,
    List<StageOptions> stages,
    Enhancement enhancement,
    Device device,
    ComputeType dtype,
    Numerics numerics,
    Noise noise,
    Optional<LaunchGrid> noiseGrid,
    Optional<Boolean> tf32,
    Map<String, Network> networks) {
  private static final String PART = "text '%s': ".formatted(PictureText.KEYWORD);
  private static final int MOST_BATCH = 1 << 16;
  private static final Pattern SUM = Pattern.compile("[0-9a-f]{64}");

  /**
   * A network of the image.
   *
   * @param name of its file, without folders
   * @param sha256 of its file
   */
  record Network(String name, String sha256) {}

  /**
   * Reads the origin of an image.
   *
   * @throws FileException if the file is damaged or is no PNG, has no text of this project, or one
   *     with unknown or invalid options
   */
  static PictureOrigin read(Path file) {
    String text =
        PngText.read(file)
            .get(PictureText.KEYWORD)
            .orElseThrow(() ->
                new FileException(
                    file,
                    "does not tell its origin: it was not sampled by rdm, or with --no-metadata"));
    JsonFields json = JsonFields.parse(file, PART, text);
    long version = json.integer("version", 1);
    if (version != PictureText.VERSION) {
      throw json.error(
          "version %s is not supported, expected %s: use a newer rdm"
              .formatted(version, PictureText.VERSION));
    }
    if (json.has("seeds")) {
      throw new FileException(
          file,
          "is the contact sheet of seeds %s: use one of its images"
              .formatted(Printable.of(json.text("seeds"))));
    }
    PictureOrigin origin = origin(file, json);
    json.end();
    return origin;
  }

  private static PictureOrigin origin(Path file, JsonFields json) {
    json.skip("command");
    return new PictureOrigin(
        file,
        json.integer("seed", Long.MIN_VALUE),
        label(json),
        place(json),
        parsed(json, "sampler_stages", StageRange::parse),
        stages(json),
        Enhancement.read(json.object("enhancement")),
        parsed(json, "device", Device::parse),
        parsed(json, "dtype", ComputeType::parse),
        parsed(json, "numerics", PictureOrigin::numerics),
        parsed(json, "noise", Noise::parse),
        json.has("noise_grid")
            ? Optional.of(parsed(json, "noise_grid", LaunchGrid::parse))
            : Optional.empty(),
        json.has("tf32") ? Optional.of(json.truth("tf32")) : Optional.empty(),
        networks(json));
  }

  private static OptionalInt label(JsonFields json) {
    if (!json.has("class")) {
      return OptionalInt.empty();
    }
    long label = json.integer("class", 0);
    if (label > Integer.MAX_VALUE) {
      throw json.error("class must be the number of a class, but is " + label);
    }
    return OptionalInt.of((int) label);
  }

  private static BatchPlace place(JsonFields json) {
    long size = json.integer("batch", 1);
    long index = json.integer("batch_index", 0);
    if (size > MOST_BATCH || index >= size) {
      throw json.error(
          "batch_index must be below batch, which must be at most %s, but they are %s and %s"
              .formatted(MOST_BATCH, index, size));
    }
    return new BatchPlace((int) size, (int) index);
  }

  private static List<StageOptions> stages(JsonFields json) {
    List<StageOptions> stages = new ArrayList<>(Preset.GENERATE.stages());
    for (int i = 0; i < stages.size(); i++) {
      String name = StageNames.of(i);
      if (json.has(name)) {
        try {
          stages.set(i, StageOptionTable.read(json.values(name), stages.get(i)));
        } catch (OptionException e) {
          throw json.error("%s.%s".formatted(name, e.getMessage()));
        }
      }
    }
    return stages;
  }

  private static Map<String, Network> networks(JsonFields json) {
    Map<String, Network> networks = new LinkedHashMap<>();
    for (String stage : StageNames.all()) {
      for (String kind : List.of("network", "guide")) {
        String option = "%s_%s".formatted(kind, stage);
        if (json.has(option)) {
          String sum = json.text(option + SamplingRecord.SUM);
          if (!SUM.matcher(sum).matches()) {
            throw json.error(
                "%s must be 64 hexadecimal digits, but is '%s'"
                    .formatted(option + SamplingRecord.SUM, Printable.of(sum)));
          }
          networks.put(option, new Network(json.text(option), sum));
        }
      }
    }
    return networks;
  }

  private static Numerics numerics(String text) {
    return Stream.of(Numerics.values())
        .filter(value -> value.name().toLowerCase(Locale.ROOT).equals(text))
        .findFirst()
        .orElseThrow(
            () -> new OptionException("expected exact or fast, but was '%s'".formatted(text)));
  }

  private static <T> T parsed(JsonFields json, String name, Function<String, T> parser) {
    String text = json.text(name);
    try {
      return parser.apply(text);
    } catch (OptionException e) {
      throw json.error("%s is invalid: %s".formatted(name, Printable.message(e.getMessage())));
    }
  }

  /**
   * Returns where the same random numbers come from on a device: on the CPU, those of the GPU that
   * drew them are computed.
   */
  Noise noiseOn(Device other) {
    boolean isDrawnOnGpu = noise instanceof Noise.OfCuda;
    return isDrawnOnGpu && other.type() == Device.Type.CPU && noiseGrid.isPresent()
        ? new Noise.OfGpu(noiseGrid.get())
        : noise;
  }

  /** Returns a warning if the GPU of a run draws other random numbers than that of the image. */
  Optional<String> noiseWarning(SamplingRecord run) {
    String expected = noiseGrid.map(LaunchGrid::toString).orElse("none");
    String found = String.valueOf(run.options().getOrDefault(SamplingRecord.NOISE_GRID, "none"));
    boolean isDrawnOnGpu =
        noise instanceof Noise.OfCuda
            && noise.toString().equals(run.options().get(SamplingRecord.NOISE));
    return isDrawnOnGpu && !found.equals(expected)
        ? Optional.of(
            ("%s: its noise was drawn with launch grid %s, but this GPU has %s, which draws"
                    + " another image; --noise=cuda:GPU computes that of another GPU")
                .formatted(Printable.of(file), expected, found))
        : Optional.empty();
  }

  /** Returns the options that name its networks, as they could be typed. */
  String networkOptions() {
    return networks.entrySet().stream()
        .map(entry -> "--%s=%s".formatted(entry.getKey(), Printable.of(entry.getValue().name())))
        .collect(Collectors.joining(" "));
  }

  /**
   * Compares the networks of a run with those of the image.
   *
   * @param run the checksums of the files of the stages that run, by option, each with further ones
   *     under which the same network is known
   * @param ran the stages that run
   * @throws FileException naming the first difference
   */
  void checkNetworks(Map<String, List<String>> run, StageRange ran) {
    networks.forEach((option, network) -> {
      if (run.containsKey(option) && !run.get(option).contains(network.sha256())) {
        throw new FileException(
            file,
            "was sampled with --%s=%s of SHA-256 %s, but the network given has %s"
                .formatted(
                    option,
                    Printable.of(network.name()),
                    network.sha256(),
                    run.get(option).getFirst()));
      }
      if (!run.containsKey(option) && includes(ran, option)) {
        throw new FileException(
            file,
            "was sampled with --%s=%s, which was not given"
                .formatted(option, Printable.of(network.name())));
      }
    });
    run.keySet().stream()
        .filter(option -> !networks.containsKey(option))
        .findFirst()
        .ifPresent(option -> {
          throw new FileException(
              file, "was sampled without --%s, but it was given".formatted(option));
        });
  }

  private static boolean includes(StageRange range, String option) {
    return range.includes(
        StageNames.index(option.substring(option.indexOf('_') + 1)).orElseThrow());
  }
}
