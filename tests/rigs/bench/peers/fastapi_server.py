"""The feed page as FastAPI and SQLAlchemy serve it: declarative models, response models, joinedload and selectinload."""

import os
from datetime import datetime
from typing import List, Optional

import uvicorn
from fastapi import Depends, FastAPI, Header
from pydantic import BaseModel
from sqlalchemy import Column, DateTime, ForeignKey, Integer, String, Table, create_engine, select
from sqlalchemy.orm import Session, declarative_base, joinedload, relationship, selectinload, sessionmaker

engine = create_engine(os.environ["DATABASE_URL"], pool_size=10, max_overflow=0)
new_session = sessionmaker(engine)
Base = declarative_base()


class Follow(Base):
    __tablename__ = "follows"
    follower_id = Column(Integer, primary_key=True)
    followed_id = Column(Integer, primary_key=True)


class Favorite(Base):
    __tablename__ = "favorites"
    user_id = Column(Integer, primary_key=True)
    article_id = Column(Integer, primary_key=True)


class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    username = Column(String)
    bio = Column(String)
    image = Column(String)


class Tag(Base):
    __tablename__ = "tags"
    id = Column(Integer, primary_key=True)
    name = Column(String)


article_tags = Table(
    "article_tags",
    Base.metadata,
    Column("position", Integer),
    Column("article_id", ForeignKey("articles.id"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id"), primary_key=True),
)


class Article(Base):
    __tablename__ = "articles"
    id = Column(Integer, primary_key=True)
    slug = Column(String)
    title = Column(String)
    description = Column(String)
    created_at = Column(DateTime(timezone=True))
    updated_at = Column(DateTime(timezone=True))
    published_at = Column(DateTime(timezone=True))
    favorites_count = Column(Integer)
    status = Column(String)
    author_id = Column(ForeignKey("users.id"))
    author = relationship(User)
    tags = relationship(Tag, secondary=article_tags, order_by=article_tags.c.position)


class Profile(BaseModel):
    username: str
    bio: Optional[str]
    image: Optional[str]
    viewerIsFollowing: bool


class ArticlePreview(BaseModel):
    slug: str
    title: str
    description: str
    tagList: List[str]
    createdAt: datetime
    updatedAt: datetime
    favoritesCount: int
    viewerHasFavorited: bool
    author: Profile


class ArticleList(BaseModel):
    articles: List[ArticlePreview]


app = FastAPI()


def database():
    with new_session() as session:
        yield session


@app.get("/feed", response_model=ArticleList)
def feed(session: Session = Depends(database), x_viewer: int = Header()):
    followed = select(Follow.followed_id).where(Follow.follower_id == x_viewer)
    newest = (
        select(Article)
        .where(Article.author_id.in_(followed), Article.status == "PUBLISHED")
        .order_by(Article.published_at.desc(), Article.id.desc())
        .limit(20)
        .options(joinedload(Article.author), selectinload(Article.tags))
    )
    articles = session.scalars(newest).all()
    ids = [article.id for article in articles]
    marked = select(Favorite.article_id).where(Favorite.user_id == x_viewer, Favorite.article_id.in_(ids))
    favorites = set(session.scalars(marked))
    return ArticleList(
        articles=[
            ArticlePreview(
                slug=article.slug,
                title=article.title,
                description=article.description,
                tagList=[tag.name for tag in article.tags],
                createdAt=article.created_at,
                updatedAt=article.updated_at,
                favoritesCount=article.favorites_count,
                viewerHasFavorited=article.id in favorites,
                author=Profile(
                    username=article.author.username,
                    bio=article.author.bio,
                    image=article.author.image,
                    viewerIsFollowing=True,
                ),
            )
            for article in articles
        ]
    )


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning", access_log=False)
