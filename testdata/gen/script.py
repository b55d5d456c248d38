"""save writes a TorchScript archive without the file names of the machine that wrote it, which debug records hold."""
import torch


def save(module, path, extra_files=None):
    torch.jit.save(module, path, _extra_files=extra_files or {})
    reader = torch._C.PyTorchFileReader(path)
    records = {name: reader.get_record(name) for name in reader.get_all_records()}
    del reader
    writer = torch._C.PyTorchFileWriter(path)
    for name, data in records.items():
        if not name.endswith(".debug_pkl") and name not in ("version", ".data/serialization_id"):  # the writer adds these two
            writer.write_record(name, data, len(data))
    writer.write_end_of_file()
