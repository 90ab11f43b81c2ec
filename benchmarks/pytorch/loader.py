"""An epoch of CIFAR-10 batches, prepared as in DARTS (cnn/utils.py), with the transforms of torchvision."""

import torch
from driver import serve
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset


class Images(Dataset):
    def __init__(self, images, labels, settings):
        self.images, self.labels, self.settings = images, labels, settings
        self.mean = torch.tensor(settings["mean"]).view(3, 1, 1)
        self.deviation = torch.tensor(settings["deviation"]).view(3, 1, 1)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = self.images[index].permute(2, 0, 1)
        if self.settings["augmented"]:
            image = self.random_crop(image)
            if torch.rand(()) < 0.5:
                image = image.flip(-1)
        image = (image.float() / 255 - self.mean) / self.deviation
        if self.settings["augmented"]:
            self.cutout_(image)
        return image, self.labels[index]

    def random_crop(self, image):
        size, margin = self.settings["size"], self.settings["margin"]
        padded = F.pad(image, [margin] * 4)
        top, left = torch.randint(0, 2 * margin + 1, (2,)).tolist()
        return padded[:, top : top + size, left : left + size]

    def cutout_(self, image):
        size, half = self.settings["size"], self.settings["cutout"] // 2
        y, x = torch.randint(0, size, (2,)).tolist()
        image[:, max(y - half, 0) : y + half, max(x - half, 0) : x + half] = 0


def prepare(settings, layout, start):
    loader = DataLoader(
        Images(start["images"], start["labels"], settings),
        batch_size=settings["batch"],
        shuffle=settings["augmented"],
        num_workers=torch.get_num_threads(),
    )

    def step():
        for images, labels in loader:
            pass
        return images.square().mean().item(), labels.sum().item()

    return step


serve(prepare)
