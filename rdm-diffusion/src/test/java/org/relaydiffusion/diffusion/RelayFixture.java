// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.Locale;
import java.util.stream.Stream;
import org.relaydiffusion.diffusion.fixture.Fixture;
import org.relaydiffusion.diffusion.fixture.SamplerKwargs;
import org.relaydiffusion.diffusion.image.Enhancement;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.Device;
import tools.jackson.databind.JsonNode;

/** A case samplers/relay_*: two checkpoints, a request, and the pictures that it must give. */
record RelayFixture(Fixture files, JsonNode config) {
  static Stream<RelayFixture> all() {
    return Stream.of("uncond", "cond_cfg", "celebahq_enhanced", "imagenet_enhanced_class2")
        .map(RelayFixture::of);
  }

  static RelayFixture of(String name) {
    Fixture files = Fixture.of("samplers/relay_" + name);
    return new RelayFixture(files, files.json("config.json"));
  }

  RelayPipeline load(Numerics numerics) {
    return load(numerics, Device.CPU);
  }

  RelayPipeline load(Numerics numerics, Device device) {
    return RelayPipeline.builder()
        .stage(files.file("first.pkl"))
        .stage(files.file("second.pt"))
        .numerics(numerics)
        .device(device)
        .load();
  }

  SampleRequest.Builder request() {
    boolean celebahq = script().equals("generate_celebahq");
    SampleRequest.Builder request =
        SampleRequest.builder()
            .seeds(Fixture.longs(config.path("seeds")))
            .batch(config.path("max_batch_size").intValue())
            .stage(0, SamplerKwargs.edm(config.path("first").path("sampler_kwargs"), celebahq))
            .stage(1, SamplerKwargs.relay(config.path("second").path("sampler_kwargs"), celebahq))
            .enhancement(
                switch (script()) {
                  case "generate_celebahq" -> Enhancement.CELEBAHQ;
                  case "generate_imagenet" -> Enhancement.IMAGENET;
                  default -> Enhancement.NONE;
                });
    JsonNode label = config.path("class_idx");
    return label.isNumber() ? request.classLabel(label.intValue()) : request;
  }

  String script() {
    return config.path("script").asString();
  }

  Pixels picture(long seed) {
    return PictureReader.read(
        files.file(String.format(Locale.ROOT, "png/%06d/%06d.png", seed - seed % 1000, seed)));
  }

  @Override
  public String toString() {
    return files.folder().getFileName().toString();
  }
}
