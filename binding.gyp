# The addon for machines without cmake. Sources and flags are those of CMakeLists.txt.
{
  "targets": [
    {
      "target_name": "kvasir",
      "sources": ["<!@(grep \"^[^#]\" native/sources.txt)"],
      "include_dirs": ["native/core", "<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=9", "NAPI_CPP_EXCEPTIONS", "NDEBUG"],
      "cflags!": ["-fno-exceptions"],
      "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-std=gnu++20"],
      "cflags": ["-O3", "-fno-strict-aliasing", "-fvisibility=hidden", "-flto=auto"],
      "cflags_cc": ["-std=c++20", "-fvisibility-inlines-hidden"],
      "ldflags": ["-flto=auto", "-Wl,--gc-sections"],
      "conditions": [
        ["target_arch=='x64'", {"cflags": ["-march=x86-64-v2"]}]
      ]
    }
  ]
}
