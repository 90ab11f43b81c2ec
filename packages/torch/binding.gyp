# scripts/build.mjs lists the sources, finds libtorch and passes both as variables, in build/libtorch.gypi.
{
  'targets': [
    {
      'target_name': 'espalier_torch',
      'sources': ['<@(native_sources)'],
      'include_dirs': ['native/declarations'],
      'cflags_cc!': ['-fno-exceptions', '-fno-rtti', '-std=gnu++17', '-std=gnu++20'],
      'cflags_cc': ['-std=c++17', '-fexceptions', '-frtti', '-O3', '-DNDEBUG', '-Wno-psabi', '<@(libtorch_flags)'],
      'ldflags': ['-Wl,--no-as-needed'],
      'libraries': ['<@(libtorch_libraries)'],
      'conditions': [
        # at::parallel_for is a plain loop without it. Only compiled with, not linked with: the functions it needs then
        # come from the OpenMP that libtorch itself has loaded, which may be one of its own, and there is one set of threads.
        ['OS == "linux"', {'cflags_cc': ['-fopenmp']}],
      ],
      'xcode_settings': {
        'CLANG_CXX_LANGUAGE_STANDARD': 'c++17',
        'CLANG_CXX_LIBRARY': 'libc++',
        'GCC_ENABLE_CPP_EXCEPTIONS': 'YES',
        'GCC_ENABLE_CPP_RTTI': 'YES',
        'GCC_OPTIMIZATION_LEVEL': '3',
        'MACOSX_DEPLOYMENT_TARGET': '11.0',
        'OTHER_CPLUSPLUSFLAGS': ['<@(libtorch_flags)'],
      },
    },
  ],
}
