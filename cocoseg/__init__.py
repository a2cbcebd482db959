"""COCO as a semantic-segmentation dataset."""
